"""A vault, those who have something to do with it, and each request of the matrix as one of them would send it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count

from relay.http.routes import ROUTES
from relay_protocol.encoding import base64url
from tests.http.device import Device, uuid_of
from tests.http.events import Draft
from tests.http.world import Vault, World

_numbers = count(1)


@dataclass(frozen=True)
class Stage:
    """What a member could ask with success is there. Each stage has devices of its own."""

    world: World
    number: int = field(default_factory=lambda: next(_numbers))

    def __post_init__(self) -> None:
        vault = self.vault
        for founded in (vault, self.other, self.gone):
            assert founded.register(founded.founder).status == 201
        for device in (self.member, self.bystander, self.revoked):
            assert vault.register(device, vault.endorsement(device)).status == 201
        assert self.gone.register(self.outsider, self.gone.endorsement(self.outsider)).status == 201
        assert self.gone.erase().status == 204
        assert vault.revoke(self.revoked).status == 204
        vault.fill([f"first of {self.number}"])
        vault.snapshot(self.blob("available"), covers=1)
        assert self.world.upload(vault.announce(self.blob("pending")), self.blob("pending"))

    def device(self, name: str) -> Device:
        return Device.named(f"{name} of stage {self.number}")

    def blob(self, name: str) -> bytes:
        return f"{name} blob of stage {self.number}".encode()

    def _vault(self, name: str, founder: Device) -> Vault:
        return Vault(self.world, uuid_of(f"{name} vault of stage {self.number}"), founder)

    @property
    def vault(self) -> Vault:
        return self._vault("the", self.device("founder"))

    @property
    def other(self) -> Vault:
        """Another vault, whose founder is the outsider."""
        return self._vault("another", self.outsider)

    @property
    def gone(self) -> Vault:
        """A vault that was erased."""
        return self._vault("erased", self.device("founder of the erased"))

    @property
    def member(self) -> Device:
        return self.device("member")

    @property
    def bystander(self) -> Device:
        """A member that does nothing."""
        return self.device("bystander")

    @property
    def outsider(self) -> Device:
        return self.device("outsider")

    @property
    def revoked(self) -> Device:
        return self.device("revoked")

    @property
    def stranger(self) -> Device:
        """A device that is registered nowhere."""
        return self.device("stranger")

    def nowhere(self) -> Vault:
        """A vault that was never there."""
        return self._vault("no", self.device("nobody"))


@dataclass(frozen=True)
class Asked:
    """A request, and whom and what it is about."""

    stage: Stage
    device: Device
    vault: Vault

    def draft(self, method: str, resource: str, body: object = None, **headers: str) -> Draft:
        """Draft the request that has this route."""
        ids = {
            "vault_id": self.vault.id,
            "device_id": self.vault.founder.id if resource == "/devices/{device_id}" else self.stage.bystander.id,
            "sha256": base64url(sha256(self.stage.blob(self._blob(resource))).digest()),
        }
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.stage.world.draft(self.device, method, ROUTES[resource].path(ids), body, headers=sent)  # type: ignore[arg-type]

    @staticmethod
    def _blob(resource: str) -> str:
        return "pending" if resource.endswith("complete") else "available"

    def register(self, *, endorsed: bool) -> Draft:
        body: dict[str, object] = {"vault_id": self.vault.id, "public_key": self.device.public_key}
        if endorsed:
            body["endorsement"] = self.stage.vault.founder.endorse(
                self.vault.id, self.device.id, self.stage.world.clock.seconds + 3600
            )
        return self.draft("POST", "/devices", body)

    def erase(self) -> Draft:
        return self.draft("DELETE", "/vaults/{vault_id}", If_Match=f'"{self.stage.vault.head()["chain"]}"')

    def push(self) -> Draft:
        changeset = self.device.changeset(f"{self.device.id} of {self.stage.number}")
        return self.draft("POST", "/vaults/{vault_id}/changesets", changeset)

    def announce(self) -> Draft:
        body = {
            "sha256": base64url(sha256(self.stage.blob("new")).digest()),
            "size": 9,
            "key_id": "k1",
            "schema_version": 3,
            "covers": {"seq": 1, "chain": self.stage.vault.chain_at(1)},
        }
        return self.draft("POST", "/vaults/{vault_id}/snapshots", body)


Ask = Callable[[Asked], Draft]
SPECIAL: Mapping[str, Ask] = {
    "POST /devices, with an endorsement": lambda asked: asked.register(endorsed=True),
    "POST /devices, without one": lambda asked: asked.register(endorsed=False),
    "DELETE /vaults/{vault_id}": Asked.erase,
    "POST /vaults/{vault_id}/changesets": Asked.push,
    "POST /vaults/{vault_id}/snapshots": Asked.announce,
}
"""The requests that need more than a path, by their names in the matrix."""


def ask(name: str, method: str, resource: str) -> Ask:
    """Return how a request of the matrix is drafted."""
    return SPECIAL.get(name, lambda asked: asked.draft(method, resource))
