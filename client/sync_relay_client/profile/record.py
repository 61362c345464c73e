"""The profile's one row about its device and vault, its secrets sealed under the profile's key."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import Any

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from relay_protocol.chain import Head, genesis
from relay_protocol.devices import thumbprint
from relay_protocol.encoding import base64url, from_base64url
from sync_relay_client.errors import ProfileBroken, ProfileMissing
from sync_relay_client.keys import DeviceKey, Keyring, VaultKey
from sync_relay_client.membership import Membership
from sync_relay_client.opening import Trust
from sync_relay_client.profile.history import StoredHistory
from sync_relay_client.profile.schema import VERSION
from sync_relay_client.session import VaultSession


@dataclass(frozen=True, slots=True)
class Secrets:
    """What nobody else may read. `recovery` is the sheet's entropy, until its words were noted down."""

    device: DeviceKey
    vault_keys: tuple[VaultKey, ...] = ()
    recovery: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """Who this device is, and of which vault. In the stages before `active` the later members are None."""

    stage: str
    secrets: Secrets = field(repr=False)
    relay_url: str | None = None
    vault_id: str | None = None


class Records:
    """Reads and writes the row, in an open transaction."""

    def __init__(self, connection: Connection, profile_key: bytes) -> None:
        self._connection = connection
        self._box = SecretBox(profile_key)

    def put(self, record: Record) -> None:
        """Write a device that is in no vault yet."""
        self._connection.execute(
            "INSERT OR REPLACE INTO sync_relay_device (one, version, stage, device_id, relay_url, vault_id, secrets)"
            " VALUES (1, ?, ?, ?, ?, ?, ?)",
            (
                VERSION,
                record.stage,
                record.secrets.device.device_id,
                record.relay_url,
                record.vault_id,
                self._sealed(record.secrets),
            ),
        )

    def find(self) -> Record | None:
        """Return who this device is. Raises ProfileBroken if the key is not the profile's."""
        row = self._connection.execute("SELECT stage, relay_url, vault_id, secrets FROM sync_relay_device").fetchone()
        return None if row is None else Record(row[0], self._opened(row[3]), row[1], row[2])

    def session(self) -> VaultSession:
        """Return what the device holds of its vault. Raises ProfileMissing before it is in one."""
        row = self._connection.execute(
            "SELECT stage, vault_id, epoch, founder, anchor_seq, anchor_chain, membership, named_by_invitation,"
            " keys_in_force, secrets, head_seq, head_chain FROM sync_relay_device"
        ).fetchone()
        if row is None or row[0] not in {"active", "erased"}:
            raise ProfileMissing("the device is in no vault yet")
        _, vault_id, epoch, founder, anchor_seq, anchor_chain, membership, named, in_force, secrets, *head = row
        opened = self._opened(secrets)
        trust = Trust(
            opened.device,
            Keyring(opened.vault_keys, in_force),
            _read_membership(membership),
            None if anchor_seq is None else Head(anchor_seq, anchor_chain),
        )
        history = StoredHistory(self._connection, vault_id, Head(*head))
        return VaultSession(vault_id, epoch, trust, founder, frozenset(json.loads(named)), history)

    def save(self, session: VaultSession, relay_url: str | None = None) -> None:
        """Write what a session holds; its stored history writes itself.

        With a `relay_url` the device begins in a vault, active and at the log's start.
        """
        trust, anchor = session.trust, session.trust.anchor
        self._connection.execute(
            "UPDATE sync_relay_device SET vault_id = ?, epoch = ?, founder = ?, anchor_seq = ?, anchor_chain = ?,"
            " membership = ?, named_by_invitation = ?, keys_in_force = ?, secrets = ?",
            (
                session.vault_id,
                session.epoch,
                session.founder,
                anchor and anchor.seq,
                anchor and anchor.chain,
                _membership_text(trust.membership),
                _names(session.named_by_invitation),
                trust.keyring.in_force,
                self._resealed(trust.device, trust.keyring.keys),
            ),
        )
        if relay_url is not None:
            head = genesis(session.vault_id)
            self._connection.execute(
                "UPDATE sync_relay_device SET stage = 'active', relay_url = ?, head_seq = ?, head_chain = ?",
                (relay_url, head.seq, head.chain),
            )

    def forget_recovery(self) -> None:
        """Forget the recovery sheet's entropy."""
        record = self.find()
        if record is not None:
            sealed = self._sealed(Secrets(record.secrets.device, record.secrets.vault_keys))
            self._connection.execute("UPDATE sync_relay_device SET secrets = ?", (sealed,))

    def _resealed(self, device: DeviceKey, vault_keys: tuple[VaultKey, ...]) -> bytes:
        """Return the row's secrets with these keys in them; as they are, where nothing has changed."""
        sealed = bytes(self._connection.execute("SELECT secrets FROM sync_relay_device").fetchone()[0])
        known = self._opened(sealed)
        secrets = Secrets(device, vault_keys, known.recovery)
        return sealed if secrets == known else self._sealed(secrets)

    def _sealed(self, secrets: Secrets) -> bytes:
        members = {
            "device": base64url(bytes(secrets.device.signing_key)),
            "vault": [base64url(key.secret) for key in secrets.vault_keys],
            "recovery": None if secrets.recovery is None else base64url(secrets.recovery),
        }
        return bytes(self._box.encrypt(json.dumps(members).encode()))

    def _opened(self, sealed: bytes) -> Secrets:
        try:
            members = json.loads(self._box.decrypt(sealed))
        except CryptoError:
            raise ProfileBroken("the profile's key is not the one its secrets were sealed with") from None
        recovery = members["recovery"]
        return Secrets(
            DeviceKey.from_seed(from_base64url(members["device"])),
            tuple(VaultKey(from_base64url(secret)) for secret in members["vault"]),
            None if recovery is None else from_base64url(recovery),
        )


def _membership_text(membership: Membership) -> str:
    members: dict[str, Any] = {
        "belonging": sorted(membership.belonging),
        "named": sorted(membership.named),
        "rekey_seq": membership.rekey_seq,
        "left": sorted(membership.left),
        "known_keys": [base64url(key) for key in membership.known_keys.values()],
    }
    return json.dumps(members)


def _read_membership(text: str) -> Membership:
    members = json.loads(text)
    known_keys = map(from_base64url, members["known_keys"])
    return Membership(
        frozenset(members["belonging"]),
        frozenset(members["named"]),
        members["rekey_seq"],
        frozenset(members["left"]),
        {thumbprint(public_key): public_key for public_key in known_keys},  # judged when they were learnt
    )


def _names(device_ids: Iterable[str]) -> str:
    return json.dumps(sorted(device_ids))
