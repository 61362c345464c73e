"""The relay under test: its address, what `/config` tells of it, and how requests are sent to it."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from sync_relay_client.address import RelayAddress
from sync_relay_conformance.answer import Answer
from sync_relay_conformance.clock import RelayClock
from sync_relay_conformance.device import Device, Json
from sync_relay_conformance.draft import Draft
from sync_relay_conformance.vault import Vault
from sync_relay_conformance.verdicts import Failed, NotApplicable

TIMEOUT_SECONDS = 60.0
SPARED_REQUESTS = 3
"""So many requests of a quota are left: then it is waited for, since threads may send some more at once."""
MOST_WAITS = 20
TOO_MANY = 429

_REMAINING = re.compile(r'"[a-z]+";r=(\d+);t=(\d+)')


class NoRelay(Exception):
    """There is no relay that could be checked, for the reason given."""


@dataclass(frozen=True)
class Configuration:
    """What `/config` says of the relay (§7.1). A limit is asked for by its name."""

    limits: Json
    retention: Json
    vault_creation: str

    def limit(self, name: str) -> int:
        """Return a limit."""
        return int(self.limits[name])


class Relay:
    """A relay, by its base URL. What is asked of it is kept in `answers`."""

    def __init__(self, url: str, vault_token: str | None = None, api_key: str | None = None) -> None:
        self.address = RelayAddress.parse(url)
        self.vault_token = vault_token
        self._api_key = api_key
        self._http = httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)
        self.answers: list[Answer] = []
        self._vaults: list[Vault] = []
        self._spared: dict[str, float] = {}
        self.clock = RelayClock()
        self.configuration, self.clock = self._configuration()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._http.close()

    def limit(self, name: str) -> int:
        """Return a limit of `/config`."""
        return self.configuration.limit(name)

    def needs(self, limit: str, least: int) -> None:
        """Raise NotApplicable where a limit is too low for what is checked."""
        if self.limit(limit) < least:
            raise NotApplicable(f"{limit} is {self.limit(limit)}")

    # -------- requests

    def draft(self, by: Device | None, method: str, path: str, body: Any = None, **members: Any) -> Draft:  # noqa: ANN401
        """Return a request that is right in every way. `path` is below the base; a body of bytes is sent as it is."""
        raw = b"" if body is None else body if isinstance(body, bytes) else encode(body)
        fields = {"content-type": "application/json"} if raw else {}
        fields |= members.pop("fields", {})
        members.setdefault("created", self.clock.now())
        return Draft(
            method,
            members.pop("authority", self.address.authority),
            self.address.base_path + path,
            by,
            fields=fields,
            body=raw,
            **members,
        )

    def ask(self, by: Device | None, method: str, path: str, body: Any = None, **members: Any) -> Answer:  # noqa: ANN401
        """Send a request that is right but for `members`, which are those of a Draft; return the answer."""
        return self.send(self.draft(by, method, path, body, **members))

    def send(self, draft: Draft, *, paced: bool = True) -> Answer:
        """Send a request, once more if the relay asks to wait; `paced` leaves some of the quota."""
        for _ in range(MOST_WAITS):
            answer = self._sent(draft, paced=paced)
            if not paced or answer.status != TOO_MANY:
                return answer
            time.sleep(float(answer.headers.get("retry-after", "1")))
        return answer

    def send_in_chunks(self, draft: Draft, chunk_bytes: int = 64 * 1024) -> Answer:
        """Send a request whose length is not told ahead."""
        body = draft.body
        return self._sent(
            draft, paced=True, content=(body[at : at + chunk_bytes] for at in range(0, len(body), chunk_bytes))
        )

    def _sent(self, draft: Draft, *, paced: bool, content: Iterator[bytes] | None = None) -> Answer:
        key = "vault" if "/vaults/" in draft.path else "address"
        if paced and self._spared.get(key, 0.0) > time.monotonic():
            time.sleep(max(0.0, self._spared[key] - time.monotonic()))
        fields = [("host", draft.authority), *draft.header_fields()]
        if self._api_key is not None:
            fields.append(("x-api-key", self._api_key))
        headers = [(name.encode(), text.encode()) for name, text in fields]
        url = f"{self.address.scheme}://{self.address.authority}{draft.target}"
        response = self._http.request(draft.method, url, headers=headers, content=content or draft.body or None)
        below = draft.target.removeprefix(self.address.base_path)
        answer = Answer(
            f"{draft.method} {below}",
            draft.signer is not None,
            response.status_code,
            response.headers,
            response.content,
        )
        self.answers.append(answer)
        self._note_quota(key, answer)
        return answer

    def _note_quota(self, key: str, answer: Answer) -> None:
        """Remember to wait a second where a quota is nearly used up."""
        found = _REMAINING.fullmatch(answer.headers.get("ratelimit", ""))
        if found and int(found[1]) < SPARED_REQUESTS and int(found[2]) > 0:
            self._spared[key] = time.monotonic() + 1.0

    def transfer(self, method: str, url: str, headers: Json | None = None, content: bytes = b"") -> httpx.Response:
        """Send or fetch a blob by a URL that the relay gave: unsigned, with exactly these header fields.

        The length told is that of what is sent, whatever length the relay asked for.
        """
        fields = {name.lower(): text for name, text in (headers or {}).items()}
        if method == "PUT":
            fields["content-length"] = str(len(content))
        return self._http.request(method, url, headers=fields, content=content or None)

    # -------- vaults

    def found(self, founder: Device | None = None, vault_id: str | None = None) -> Vault:
        """Found a vault; it is erased when the check has ended. Raises NotApplicable where that is not allowed."""
        vault = Vault.drawn(self, founder or Device(), vault_id)
        self.needs_new_vaults()
        vault.register(vault.founder).must_be(201)
        self._vaults.append(vault)
        return vault

    def vault_of(self, changesets: int) -> Vault:
        """Found a vault whose log holds so many changesets of its founder."""
        vault = self.found()
        vault.fill(changesets)
        return vault

    def needs_new_vaults(self) -> None:
        """Raise NotApplicable where vaults can't be created with what is known."""
        creation = self.configuration.vault_creation
        if creation == "closed":
            raise NotApplicable("vault_creation is closed")
        if creation == "token" and self.vault_token is None:
            raise NotApplicable("vault_creation is token, and no --vault-token was given")

    def keep(self, vault: Vault) -> Vault:
        """Have a vault that was founded otherwise erased, too, when the check has ended."""
        self._vaults.append(vault)
        return vault

    def clean_up(self) -> list[str]:
        """Erase the vaults that were founded; return the ids of those that could not be."""
        left = [vault.id for vault in self._vaults if not vault.clean_up()]
        self._vaults.clear()
        return left

    def _configuration(self) -> tuple[Configuration, RelayClock]:
        try:
            asked = time.time()
            response = self._sent(self.draft(None, "GET", "/config"), paced=False)
            told = response.json
            found = Configuration(dict(told["limits"]), dict(told["retention"]), str(told["vault_creation"]))
            self.answers.clear()
            return found, RelayClock(response.headers.get("date"), asked, time.time())
        except httpx.HTTPError as error:
            raise NoRelay(f"{self.address} can't be reached: {type(error).__name__}") from None
        except (Failed, KeyError, TypeError, ValueError):
            raise NoRelay(f"{self.address}/config does not answer as a relay does") from None


def encode(value: object) -> bytes:
    """Write JSON as a client does: compact, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
