"""A relay driven through every kind of request, with a canary in every sealed field, while its sinks are watched."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from relay.observability import PowertoolsTelemetry
from relay_protocol.encoding import base64url
from tests.http.device import Device, Json
from tests.http.documented import Answer
from tests.http.events import Event
from tests.http.world import Vault, World, encode
from tests.zk.canary import Canary
from tests.zk.sinks import Sinks, note_exception

SCRIPTS = {"nonce": 0x10000, "ciphertext": 0x10280, "refused": 0x10340}
"""Linear B, Lycian, Gothic: of each the first 26 signs."""
SIGNS = {"nonce": 1_237, "ciphertext": 5_099, "refused": 2_311}
"""Odd lengths, so that a number tells which."""
_IDS = re.compile(r"/[0-9a-zA-Z_-]{36,43}(?=/|$)")


class WatchedTelemetry:
    """The real telemetry. What a defect raised is kept."""

    def __init__(self, real: PowertoolsTelemetry, sinks: Sinks) -> None:
        self._real, self._sinks = real, sinks
        self.defects: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def failed(self, request_id: str, error: BaseException) -> None:
        note_exception(self._sinks, error)
        self.defects.append(type(error).__name__)
        self._real.failed(request_id, error)


@dataclass
class Drive:
    """A vault, those around it, and the canaries of this run."""

    world: World
    sinks: Sinks
    telemetry: WatchedTelemetry
    canaries: dict[str, Canary] = field(
        default_factory=lambda: {name: Canary.draw(name, SCRIPTS[name], SIGNS[name]) for name in SCRIPTS}
    )

    def __post_init__(self) -> None:
        self.world.replace(telemetry=self.telemetry)
        send = self.world.handle

        def handle(event: Event) -> Answer:
            answer = send(event)
            self._note(event, answer)
            return answer

        self.world.handle = handle  # type: ignore[method-assign]

    def _note(self, event: Event, answer: Answer) -> None:
        place = f"{event['httpMethod']} {_IDS.sub('/{id}', event['path'])} {answer.status}"
        self.sinks.note(f"{place} headers", {k: v for k, v in answer.headers.items() if k != "content-length"})
        if answer.text and "json" in answer.headers.get("content-type", ""):
            self.sinks.note(place, json.loads(answer.text))
        else:
            self.sinks.note(place, answer.text)

    def sealed(self, device: Device, number: int, **fields: Any) -> Json:
        """Return a changeset that carries the canaries."""
        texts = {name: self.canaries[name].text for name in ("nonce", "ciphertext")}
        return device.changeset(number, **(texts | fields))

    def refused(self, device: Device, number: int, **fields: Any) -> Json:
        """Return a changeset that carries the canary which no store may ever get."""
        texts = dict.fromkeys(("nonce", "ciphertext"), self.canaries["refused"].text)
        return device.changeset(number, **(texts | fields))

    def run(self) -> list[Answer]:
        """Drive it; every answer is what the protocol says. Return the answers."""
        vault = self.world.found()
        steps = [*self._pushes(vault), *self._refusals(vault), *self._reads(vault)]
        answers = []
        for expected, step in steps:
            answers.append(step())
            assert answers[-1].status == expected, (answers[-1].outcome, self.telemetry.defects)
        return answers

    def _pushes(self, vault: Vault) -> list[tuple[int, Callable[[], Answer]]]:
        one, *more = [self.sealed(vault.founder, number) for number in range(4)]
        large = self.sealed(vault.founder, 9, entity="x" * 128)
        return [
            (201, lambda: vault.push(one)),
            (200, lambda: vault.call("GET")),
            (200, lambda: vault.push(one)),
            (201, lambda: vault.push(*more)),
            (200, lambda: vault.push(one, *more)),
            (201, lambda: vault.push(*[self.sealed(vault.founder, number) for number in range(20, 40)])),
            (201, lambda: vault.push(large)),
        ]

    def _refusals(self, vault: Vault) -> list[tuple[int, Callable[[], Answer]]]:
        stranger, second = self.world.found().founder, vault.join("second")
        refused = self.refused(vault.founder, 100)
        taken = self.refused(vault.founder, 0)
        other_tag = {"If-Match": f'"{base64url(bytes(32))}"'}

        def quota() -> Answer:
            limits = self.world.relay.settings.limits
            self.world.configure(max_vault_bytes=1)
            answer = vault.push(refused)
            self.world.configure(max_vault_bytes=limits.max_vault_bytes)
            return answer

        return [
            (409, lambda: vault.push(taken)),
            (412, lambda: vault.push(refused, headers=other_tag)),
            (507, quota),
            (403, lambda: vault.push(refused, by=second)),
            (404, lambda: vault.push(self.refused(stranger, 100), by=stranger)),
            (401, lambda: vault.call("POST", "/changesets", refused, by=Device.named("nobody"))),
            (422, lambda: vault.push(refused | {"schema_version": "3"})),
            (422, lambda: vault.push(refused | {"nonce": [self.canaries["refused"].text]})),
            (422, lambda: vault.push(refused | {self.canaries["refused"].text: 1})),
            (422, lambda: vault.push(refused, refused)),
            (400, lambda: vault.call("POST", "/changesets", encode(refused)[:-1])),
            (415, lambda: vault.push(refused, headers={"Content-Type": "text/plain"})),
            (404, lambda: vault.pull(by=stranger)),
            (409, lambda: vault.pull(since=1_000)),
        ]

    def _reads(self, vault: Vault) -> list[tuple[int, Callable[[], Answer]]]:
        def snapshot() -> Answer:
            assert vault.snapshot(b"blob", covers=2)
            return vault.call("GET", "/snapshots/latest")

        def prune() -> Answer:
            self.world.clock.advance(31 * 24 * 3600)
            self.world.maintain()
            return vault.pull()

        return [
            (200, vault.pull),
            (200, lambda: vault.pull(1, 1)),
            (200, lambda: vault.pull(0, by=Device.named("second"))),
            (200, lambda: vault.call("GET", "/devices")),
            (200, lambda: vault.call("GET")),
            (200, lambda: vault.call("GET", "/snapshots")),
            (200, snapshot),
            (410, prune),
            (200, lambda: vault.pull(3)),
            (204, vault.erase),
        ]
