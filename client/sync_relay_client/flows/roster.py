"""The vault's devices: who belongs by the log, and what the relay says of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from relay_protocol.encoding import from_base64url
from sync_relay_client.flow import Flow
from sync_relay_client.flows.link import Link
from sync_relay_client.flows.pulling import pull


@dataclass(frozen=True, slots=True)
class VaultDevice:
    """A device. Only `belongs` is proven, by the log; the last two are the relay's word, None where it has none."""

    device_id: str
    public_key: bytes | None
    is_this: bool
    is_founder: bool
    belongs: bool
    registered_at: str | None
    revoked_at: str | None


def devices(link: Link) -> Flow[Sequence[VaultDevice]]:
    """Pull, and return all devices that the log or the relay knows, those that belong first."""
    yield from pull(link)
    roster = yield from link.ask(lambda vault: vault.roster())
    registered = {member.device_id: member for member in roster.devices}
    with link.profile.view() as view:
        session = view.session()
    membership = session.membership
    found = []
    for device_id in sorted(membership.belonging | registered.keys()):
        member = registered.get(device_id)
        public_key = membership.known_keys.get(device_id)
        if public_key is None and member is not None:
            public_key = from_base64url(member.public_key)
        found.append(
            VaultDevice(
                device_id,
                public_key,
                is_this=device_id == session.device.device_id,
                is_founder=device_id == session.founder,
                belongs=device_id in membership.belonging,
                registered_at=None if member is None else member.registered_at,
                revoked_at=None if member is None else member.revoked_at,
            )
        )
    return sorted(found, key=lambda device: (not device.belongs, device.registered_at or ""))
