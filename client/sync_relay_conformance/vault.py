"""A vault of the relay under test, and the requests about it."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from relay_protocol.chain import genesis
from relay_protocol.encoding import base64url
from sync_relay_conformance.answer import Answer
from sync_relay_conformance.device import Device, Json

if TYPE_CHECKING:
    import httpx

    from sync_relay_conformance.draft import Draft
    from sync_relay_conformance.relay import Relay

ENDORSED_SECONDS = 3600
GONE = {401, 404}
SMALLEST_PAGE = 10
"""No check looks for more changesets in a page that it did not ask for by its size."""


@dataclass
class Vault:
    """A vault. Its founder sends where no other device is named with `by`."""

    relay: "Relay"
    id: str
    founder: Device
    members: list[Device] = field(default_factory=list)
    """Who was let in, revoked or not: one of them can erase the vault in the end."""

    @classmethod
    def drawn(cls, relay: "Relay", founder: Device, vault_id: str | None = None) -> "Vault":
        """Draw the id of a vault that is yet to be founded."""
        return cls(relay, vault_id or str(uuid.uuid4()), founder, [founder])

    @property
    def path(self) -> str:
        """Its path below the relay's base."""
        return f"/vaults/{self.id}"

    @property
    def genesis(self) -> Json:
        """The head of its empty log (§3)."""
        return dict(genesis(self.id).as_json())

    def draft(
        self,
        method: str,
        below: str = "",
        body: Any = None,  # noqa: ANN401 -- any JSON value, or bytes
        *,
        by: Device | None = None,
        **members: Any,  # noqa: ANN401 -- those of a Draft
    ) -> "Draft":
        """Return a request about the vault; see `Relay.draft`."""
        return self.relay.draft(by or self.founder, method, self.path + below, body, **members)

    def ask(
        self,
        method: str,
        below: str = "",
        body: Any = None,  # noqa: ANN401 -- any JSON value, or bytes
        *,
        by: Device | None = None,
        **members: Any,  # noqa: ANN401 -- those of a Draft
    ) -> Answer:
        """Send a request about the vault; see `Relay.ask`."""
        return self.relay.send(self.draft(method, below, body, by=by, **members))

    # -------- devices

    def registration(self, device: Device, endorsement: Json | None = None) -> Json:
        """Return the body of `POST /devices`."""
        body: Json = {"vault_id": self.id, "public_key": device.public_key}
        return body if endorsement is None else {**body, "endorsement": endorsement}

    def register(self, device: Device, endorsement: Json | None = None, **members: Any) -> Answer:  # noqa: ANN401
        """Register a device, with the operator's token where one is asked for."""
        fields = dict(members.pop("fields", {}))
        if endorsement is None and self.relay.vault_token is not None:
            fields.setdefault("authorization", f"Bearer {self.relay.vault_token}")
        body = members.pop("body", self.registration(device, endorsement))
        return self.relay.ask(device, "POST", "/devices", body, fields=fields, **members)

    def endorsement(self, device: Device, by: Device | None = None, ahead_seconds: int = ENDORSED_SECONDS) -> Json:
        """Return a member's word that a device may join, good for so long. See `join`."""
        self.relay.needs("max_devices", 2)
        return (by or self.founder).endorse(self.id, device.id, self.relay.clock.now() + ahead_seconds)

    def join(self, by: Device | None = None) -> Device:
        """Let a new device join. Raises NotApplicable where a vault takes no more of them."""
        self.relay.needs("max_devices", len(self.members) + 1)
        device = Device()
        self.register(device, self.endorsement(device, by)).must_be(201)
        self.members.append(device)
        return device

    def revoke(self, device: Device, by: Device | None = None) -> Answer:
        """Revoke a device."""
        return self.ask("DELETE", f"/devices/{device.id}", by=by)

    def roster(self) -> list[Json]:
        """Return the vault's devices as they are listed."""
        return list(self.ask("GET", "/devices").must_be(200).json["devices"])

    # -------- the log

    def push(self, *changesets: Json, by: Device | None = None, if_match: str | None = None, **members: Any) -> Answer:  # noqa: ANN401
        """Push one changeset alone, several as a batch. Raises NotApplicable for a batch that is too large here."""
        self.relay.needs("max_batch", len(changesets))
        body: Json = changesets[0] if len(changesets) == 1 else {"changesets": list(changesets)}
        fields = {} if if_match is None else {"if-match": if_match}
        return self.ask("POST", "/changesets", body, by=by, fields=fields, **members)

    def fill(self, count: int) -> list[Json]:
        """Push so many changesets of the founder, in batches as large as they may be; return them."""
        pushed = [self.founder.changeset(entity_id=f"tx-{number}") for number in range(count)]
        for batch in in_batches(pushed, self.relay.limit("max_batch")):
            self.push(*batch).must_be(201)
        return pushed

    def pull(self, since: int | str | None = None, limit: int | str | None = None, **members: Any) -> Answer:  # noqa: ANN401
        """Pull a page. Raises NotApplicable where the usual one holds too few for a check."""
        if limit is None:
            self.relay.needs("max_page", SMALLEST_PAGE)
        sent = (("since", since), ("limit", limit))
        query = [(name, str(value)) for name, value in sent if value is not None]
        return self.ask("GET", "/changesets", query=query, **members)

    def log(self, since: int = 0) -> list[Json]:
        """Pull everything after a seq, page by page."""
        found: list[Json] = []
        while True:
            page = self.pull(since, self.relay.limit("max_page")).must_be(200).json
            found += page["changesets"]
            since = page["cursor"]
            if not page["has_more"]:
                return found

    def info(self) -> Json:
        """Return what `GET /vaults/{vault_id}` tells."""
        return dict(self.ask("GET").must_be(200).json)

    @property
    def head(self) -> Json:
        """The head as the relay tells it now."""
        return dict(self.info()["head"])

    # -------- snapshots

    def announcement(self, blob: bytes, covers: Json | None = None, **changes: Any) -> Json:  # noqa: ANN401
        """Return the body of an announcement; `covers` is a place in the log, the empty one by default."""
        return {
            "sha256": base64url(sha256(blob).digest()),
            "size": len(blob),
            "key_id": "k1",
            "schema_version": 3,
            "covers": covers or self.genesis,
        } | changes

    def announce(self, blob: bytes, covers: Json | None = None, *, by: Device | None = None, **changes: Any) -> Answer:  # noqa: ANN401
        """Announce a snapshot."""
        return self.ask("POST", "/snapshots", self.announcement(blob, covers, **changes), by=by)

    def upload(self, announced: Answer, blob: bytes) -> "httpx.Response":
        """Send a blob as the announcement's answer says."""
        upload = announced.json["upload"]
        return self.relay.transfer("PUT", upload["url"], upload["headers"], blob)

    def complete(self, blob: bytes, **members: Any) -> Answer:  # noqa: ANN401
        """Complete the snapshot of a blob."""
        return self.ask("POST", f"/snapshots/{base64url(sha256(blob).digest())}/complete", **members)

    def snapshot(self, blob: bytes, covers: Json | None = None) -> Json:
        """Announce, upload and complete a snapshot; return it."""
        self.upload(self.announce(blob, covers).must_be(201), blob).raise_for_status()
        return dict(self.complete(blob).must_be(200).json["snapshot"])

    def shown(self, blob: bytes, **members: Any) -> Answer:  # noqa: ANN401
        """Ask for one snapshot."""
        return self.ask("GET", f"/snapshots/{base64url(sha256(blob).digest())}", **members)

    def latest(self) -> Answer:
        """Ask for the latest snapshot."""
        return self.ask("GET", "/snapshots/latest")

    # -------- the end

    def erase(self, by: Device | None = None, if_match: str | None = None) -> Answer:
        """Erase the vault; without a tag, by the head's."""
        tag = if_match if if_match is not None else f'"{self.head["chain"]}"'
        return self.ask("DELETE", by=by, fields={"if-match": tag})

    def clean_up(self) -> bool:
        """Erase the vault by whichever member still may; return whether it is gone."""
        for device in self.members:
            seen = self.ask("GET", by=device)
            if seen.status in GONE:
                return True
            if seen.status == 200:  # noqa: PLR2004 -- OK
                return self.erase(device, f'"{seen.json["head"]["chain"]}"').status in {204, *GONE}
        return False


def in_batches(changesets: list[Json], size: int) -> Iterable[list[Json]]:
    """Yield them, so many at a time."""
    return (changesets[start : start + size] for start in range(0, len(changesets), size))
