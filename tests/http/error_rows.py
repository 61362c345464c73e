"""How each error of the table (§6) comes about: its status, its members, and a request that meets it."""

from collections.abc import Callable

from relay.ports import StoreUnavailable
from relay_protocol.encoding import base64url
from relay_protocol.limits import RateLimit
from tests.http.breakers import STRANGER
from tests.http.device import Device, uuid_of
from tests.http.documented import Answer
from tests.http.events import edit_header
from tests.http.world import Vault

NEWCOMER = Device.named("newcomer")
Make = Callable[[Vault], Answer]
ROWS: dict[str, tuple[int, set[str], Make]] = {}


def row(status: int, code: str, *members: str) -> Callable[[Make], Make]:
    """Register how an error comes about, and the members it carries beside the common ones."""

    def register(make: Make) -> Make:
        ROWS[code] = (status, set(members), make)
        return make

    return register


@row(400, "malformed_request")
def _malformed(vault: Vault) -> Answer:
    return vault.call("POST", "/changesets", b"{")


@row(401, "signature_required")
def _unsigned(vault: Vault) -> Answer:
    return vault.world.call(None, "GET", vault.path)


@row(401, "signature_invalid")
def _invalid(vault: Vault) -> Answer:
    draft = vault.world.draft(vault.founder, "GET", vault.path)
    draft.after_signing.append(edit_header("signature-input", lambda value: value + ";unknown=1"))
    return vault.world.send(draft)


@row(401, "signature_expired")
def _expired(vault: Vault) -> Answer:
    return vault.call("GET", created=0)


@row(401, "digest_mismatch")
def _digest(vault: Vault) -> Answer:
    draft = vault.world.draft(vault.founder, "GET", vault.path, b"body")
    draft.after_signing.append(lambda event: event.update(body="Body"))
    return vault.world.send(draft)


@row(401, "unknown_device")
def _unknown(vault: Vault) -> Answer:
    return vault.call("GET", by=STRANGER)


@row(403, "device_revoked")
def _revoked(vault: Vault) -> Answer:
    device = vault.join("second")
    vault.revoke(device)
    return vault.call("GET", by=device)


@row(403, "endorsement_required")
def _unendorsed(vault: Vault) -> Answer:
    return vault.register(NEWCOMER)


@row(403, "endorsement_invalid")
def _self_endorsed(vault: Vault) -> Answer:
    return vault.register(NEWCOMER, vault.endorsement(NEWCOMER, by=NEWCOMER))


@row(403, "endorsement_expired")
def _endorsed_long_ago(vault: Vault) -> Answer:
    return vault.register(NEWCOMER, vault.endorsement(NEWCOMER, ahead_seconds=-1))


@row(403, "vault_creation_closed")
def _closed(vault: Vault) -> Answer:
    vault.world.configure(vault_creation="closed")
    body = {"vault_id": uuid_of("new"), "public_key": NEWCOMER.public_key}
    return vault.world.call(NEWCOMER, "POST", "/devices", body)


@row(403, "origin_mismatch")
def _other_origin(vault: Vault) -> Answer:
    return vault.push(NEWCOMER.changeset(1))


@row(404, "vault_not_found")
def _nowhere(vault: Vault) -> Answer:
    return vault.world.call(vault.founder, "GET", f"/vaults/{uuid_of('nowhere')}")


@row(404, "device_not_found")
def _no_device(vault: Vault) -> Answer:
    return vault.call("DELETE", f"/devices/{NEWCOMER.id}")


@row(404, "snapshot_not_found")
def _no_snapshot(vault: Vault) -> Answer:
    return vault.call("GET", "/snapshots/latest")


@row(404, "route_not_found")
def _no_route(vault: Vault) -> Answer:
    return vault.call("GET", "/nothing")


@row(405, "method_not_allowed")
def _no_method(vault: Vault) -> Answer:
    return vault.call("PUT", "/changesets")


@row(409, "changeset_conflict", "ids")
def _taken(vault: Vault) -> Answer:
    vault.fill([1])
    return vault.push(vault.founder.changeset(1, entity="other"))


@row(409, "snapshot_conflict")
def _announced_otherwise(vault: Vault) -> Answer:
    vault.announce(b"blob")
    return vault.announce(b"blob", size=9)


@row(409, "cursor_ahead", "head")
def _ahead(vault: Vault) -> Answer:
    return vault.pull(since=1)


@row(409, "last_device")
def _last(vault: Vault) -> Answer:
    return vault.revoke(vault.founder)


@row(409, "upload_incomplete")
def _incomplete(vault: Vault) -> Answer:
    vault.announce(b"blob")
    return vault.complete(b"blob")


@row(409, "vault_erased")
def _erased(vault: Vault) -> Answer:
    vault.erase()
    return vault.register(NEWCOMER)


@row(410, "history_pruned", "floor", "snapshot")
def _pruned(vault: Vault) -> Answer:
    vault.fill([1])
    vault.snapshot(b"blob", covers=1)
    vault.world.clock.advance(31 * 24 * 3600)
    vault.world.maintain()
    return vault.pull()


@row(412, "head_moved", "head")
def _moved(vault: Vault) -> Answer:
    return vault.push(vault.founder.changeset(1), headers={"If-Match": '"another"'})


@row(413, "body_too_large", "limit")
def _too_large(vault: Vault) -> Answer:
    vault.world.configure(max_body_bytes=10)
    return vault.push(vault.founder.changeset(1))


@row(415, "unsupported_media_type")
def _plain(vault: Vault) -> Answer:
    return vault.push(vault.founder.changeset(1), headers={"Content-Type": "text/plain"})


@row(422, "invalid_field", "errors")
def _wrong(vault: Vault) -> Answer:
    return vault.push({})


@row(422, "covers_mismatch")
def _other_chain(vault: Vault) -> Answer:
    return vault.announce(b"blob", covers={"seq": 0, "chain": base64url(bytes(32))})


@row(428, "precondition_required")
def _no_precondition(vault: Vault) -> Answer:
    return vault.call("DELETE")


@row(429, "rate_limited")
def _limited(vault: Vault) -> Answer:
    vault.world.configure(rate_limit=RateLimit(requests=1, window_seconds=60))
    vault.call("GET")
    return vault.call("GET")


class _Broken:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def ping(self) -> None:
        raise self._error


@row(500, "internal", "id")
def _defect(vault: Vault) -> Answer:
    vault.world.replace(log=_Broken(RuntimeError("a defect")))
    return vault.world.call(None, "GET", "/health")


@row(503, "unavailable")
def _unavailable(vault: Vault) -> Answer:
    vault.world.replace(log=_Broken(StoreUnavailable("disk full")))
    return vault.world.call(None, "GET", "/health")


@row(507, "quota_exceeded", "quota", "limit")
def _full(vault: Vault) -> Answer:
    vault.world.configure(max_vault_bytes=1)
    return vault.push(vault.founder.changeset(1))
