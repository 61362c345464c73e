"""Those who are lied to: a victim and an insider of one vault, and what must hold once the relay is honest again."""

import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from relay_protocol.chain import Head, extend
from relay_protocol.devices import endorse
from relay_protocol.encoding import base64url
from relay_protocol.requests import Endorsement
from sync_relay_client import DeviceKey, Envelope, Options, RelayClient, Retry, Vault, VaultSession, errors
from sync_relay_client.profile.profile import FILE
from tests.client.app import applied, pair, record, sync, write
from tests.client.conftest import Forger
from tests.lying_relay.relay import PAGE, PUSH, Answer, Beside, Lying, LyingRelay, altering_json, instead, refusal

RECEIVED_AT = "2026-04-26T09:30:00.000Z"
PATIENT_SECONDS = 30.0
OPTIONS = Options(
    keyring="file",
    retry=Retry(max_attempts=2, first_pause_seconds=0),
    timeout_seconds=PATIENT_SECONDS,
    sleep=lambda _: None,
)


def plain_http() -> httpx.HTTPTransport:
    """Return a transport without TLS: to load the authorities takes longer than what is tested."""
    return httpx.HTTPTransport(verify=False)


class Scene:
    """Two paired devices, each with an app; the insider's requests go past the liar."""

    def __init__(self, liar: LyingRelay, home: Path, timeout_seconds: float | None = None) -> None:
        self.liar = liar
        self.home = home
        self.slept: list[float] = []
        self.options = replace(OPTIONS, transport=plain_http(), sleep=self.slept.append)
        self.beside = replace(OPTIONS, transport=Beside(liar))
        liar.be_honest()
        self.victim = Vault.create(home / "victim", liar.url, recovery=False, options=self.options)
        self.insider = pair(self.victim, home / "insider", self.beside)
        record(self.victim, [b"secret 1"])
        for vault in (self.victim, self.insider):
            sync(vault)
        if timeout_seconds is not None:
            self.reopen(replace(self.options, timeout_seconds=timeout_seconds))
        liar.heard.clear()

    def close(self) -> None:
        self.victim.close()
        self.insider.close()

    def reopen(self, options: Options | None = None) -> None:
        """Let the victim's app start anew."""
        folder = self.home / "victim"
        self.victim.close()
        self.victim = Vault.open(folder, options=options or replace(self.options, transport=plain_http()))

    # ------------------------------------------------------------ what the liar knows and can do

    @property
    def session(self) -> VaultSession:
        """What the insider holds."""
        return session_of(self.insider)

    @property
    def vault_id(self) -> str:
        return self.session.vault_id

    @property
    def forge(self) -> Forger:
        return Forger(self.vault_id, self.session.keys[-1])

    @property
    def soon(self) -> int:
        return int(time.time()) + 600

    def client(self, by: DeviceKey | None = None) -> RelayClient:
        """Return a client of the honest relay."""
        return RelayClient(self.liar.url, by or self.session.device, transport=Beside(self.liar))

    def stranger(self) -> DeviceKey:
        """Let a device be a member at the relay, by the insider's endorsement, that the log does not admit."""
        key = DeviceKey.generate()
        endorsement = endorse(self.session.device.signing_key, self.vault_id, key.device_id, self.soon)
        with self.client(key) as client:
            client.register(self.vault_id, Endorsement.model_validate(endorsement))
        return key

    def show(self, *envelopes: Envelope) -> Lying:
        """Show the victim changesets that the log does not hold, behind those that it does."""
        start = self.victim.head

        def alter(page: dict[str, Any]) -> None:
            page["changesets"] += [{"received_at": RECEIVED_AT} | envelope.members() for envelope in envelopes]
            relink(page, start, self.vault_id)

        return altering_json(PAGE, alter)

    # ------------------------------------------------------------ what happened before

    def insider_writes(self, *payloads: bytes) -> None:
        record(self.insider, list(payloads))
        sync(self.insider)

    def newcomer(self) -> Vault:
        """Return a device that was invited, and has pulled nothing; it is the victim now."""
        code = self.insider.invite(Vault.request(self.home / "late", options=self.options))
        self.victim.close()
        self.victim = Vault.join(self.home / "late", code, options=replace(self.options, transport=plain_http()))
        return self.victim

    def pruned(self) -> Lying:
        """Let the insider make a snapshot; the liar says that the history which it covers was pruned."""
        sync(self.insider)
        self.insider.snapshot(write)
        return self.forgetting(self.insider.head)

    def forgetting(self, floor: Head) -> Lying:
        """Say that all up to there was pruned."""
        members = {"seq": floor.seq, "chain": base64url(floor.chain)}
        pruned = refusal(410, code="history_pruned", floor=members, snapshot=None)

        def lying(asked: Any, ask: Any) -> Answer:
            since = int(httpx.URL(asked.target).params.get("since", floor.seq))
            is_gone = asked.method == "GET" and asked.path.endswith("/changesets") and since < floor.seq
            return pruned if is_gone else ask()

        return lying

    def keep_a_change_for_later(self, payload: bytes = b"kept") -> None:
        """Record and seal a change, so that only the answer to it decides what the profile holds after."""
        record(self.victim, [payload])
        self.liar.lying = instead(PUSH, lambda _: refusal(403, code="kept"))
        with pytest.raises(errors.RelayRefused):
            self.victim.push()
        self.liar.be_honest()

    # ------------------------------------------------------------ what must hold at the end

    def goes_on(self) -> None:
        """The relay is honest again: all that was wanted is applied, once and in one order, and nothing else."""
        self.liar.be_honest()
        for _ in range(2):
            for vault in (self.victim, self.insider):
                sync(vault)
        with self.client() as client:
            head = client.vault(self.vault_id).info().head
        for vault in (self.victim, self.insider):
            status = vault.status()
            assert (status.head.seq, base64url(status.head.chain)) == (head.seq, head.chain)
            assert (status.outbox, status.unverified, status.inbox, status.restored) == (0, 0, 0, False)
        insiders = applied(self.home / "insider")
        assert self.applied() == insiders
        assert set(Counter(insiders).values()) == {1}, insiders
        assert set(insiders) == {payload for folder in self.home.iterdir() for payload in wanted(folder)}

    def applied(self) -> list[bytes]:
        """Return what the victim's app has applied."""
        with self.victim.outbox() as outbox:
            file = outbox.connection.execute("PRAGMA database_list").fetchone()[2]
        return applied(Path(file).parent)


def session_of(vault: Vault) -> VaultSession:
    with vault._profile.view() as view:
        return view.session()


def wanted(folder: Path) -> Sequence[bytes]:
    """Return what the app of a profile wanted to send."""
    connection = sqlite3.connect(folder / FILE)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'wanted'").fetchone():
            return []
        return [row[0] for row in connection.execute("SELECT payload FROM wanted")]
    finally:
        connection.close()


def relink(page: dict[str, Any], after: Head, vault_id: str) -> None:
    """Give the changesets of a page the seqs and chains that a relay would, who had only these."""
    for one in page["changesets"]:
        members = {name: one[name] for name in Envelope.__dataclass_fields__}
        after = extend(after, Envelope(**members).digest(vault_id))
        one["seq"], one["chain"] = after.seq, base64url(after.chain)
    page["cursor"] = after.seq
    page["has_more"] = False
    page["head"] = {"seq": after.seq, "chain": base64url(after.chain)}
