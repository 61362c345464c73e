"""The recovery sheet: 32 random bytes, 24 words on paper, from which a vault's founder and first key are derived.

The founder is a device that exists on paper only. It admits the first real device and is not needed again, until
all devices are lost: then whoever has the words is the founder, who belongs, and admits a new device.
"""

import hmac
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from uuid import UUID

from nacl.utils import random

from relay_protocol.encoding import pae
from sync_relay_client.keys import DeviceKey, VaultKey

ENTROPY_BYTES = 32
_UUID_BYTES = 16


@dataclass(frozen=True)
class RecoverySheet:
    """What the words stand for. Raises ValueError unless the entropy has 32 bytes."""

    entropy: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.entropy) != ENTROPY_BYTES:
            raise ValueError("a recovery sheet has 32 bytes")

    @classmethod
    def draw(cls) -> "RecoverySheet":
        """Draw a new one."""
        return cls(random(ENTROPY_BYTES))

    @cached_property
    def founder(self) -> DeviceKey:
        """The key pair of the device that founds the vault, and belongs as long as no one revokes it."""
        return DeviceKey.from_seed(self._sub("sync-relay/recovery/device/v1"))

    @cached_property
    def vault_key(self) -> VaultKey:
        """The vault's first key."""
        return VaultKey(self._sub("sync-relay/recovery/vault-key/v1"))

    @cached_property
    def vault_id(self) -> str:
        """The vault's id, so that words and the relay's address are enough to find it."""
        return str(UUID(bytes=self._sub("sync-relay/recovery/vault-id/v1")[:_UUID_BYTES], version=4))

    def _sub(self, label: str) -> bytes:
        return hmac.digest(self.entropy, pae(label), sha256)
