"""Ports that fail on one method, and one request of each kind that would pass: what touches which port."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from relay_protocol.chain import extend, genesis
from relay_protocol.changeset import Changeset
from relay_protocol.encoding import base64url
from tests.http.device import Device
from tests.http.documented import Answer
from tests.http.world import Vault, World

BLOB = b"available"
PENDING = b"pending"


class Faulty:
    """A port whose one method raises; with `after`, once it has done its work."""

    def __init__(self, port: Any, method: str, error: Exception, *, after: bool = False) -> None:
        self._port, self._method, self._error, self._after = port, method, error, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._port, name)
        if name != self._method:
            return real

        def fail(*args: Any, **kwargs: Any) -> None:
            if self._after:
                real(*args, **kwargs)
            raise self._error

        return fail


class Recorder:
    """A port that notes which of its methods are called."""

    def __init__(self, name: str, port: Any, called: set[str]) -> None:
        self._name, self._port, self._called = name, port, called

    def __getattr__(self, name: str) -> Any:
        self._called.add(f"{self._name}.{name}")
        return getattr(self._port, name)


@dataclass(frozen=True)
class Touch:
    """A request of one kind, and the port method that it calls."""

    request: str
    port: str
    method: str

    def __str__(self) -> str:
        return f"{self.request}: {self.port}.{self.method}"


def break_port(world: World, touch: Touch, error: Exception, *, after: bool = False) -> Callable[[], None]:
    """Let the method fail; return what mends it again."""
    whole = getattr(world.relay, touch.port)
    world.replace(**{touch.port: Faulty(whole, touch.method, error, after=after)})
    return lambda: world.replace(**{touch.port: whole})


def prepare(vault: Vault) -> None:
    """Give the requests below something to work on."""
    vault.join("second")
    vault.fill([1])
    vault.snapshot(BLOB, covers=1)
    vault.world.upload(vault.announce(PENDING), PENDING)


REQUESTS: dict[str, Callable[[Vault], Answer]] = {
    "health": lambda vault: vault.world.call(None, "GET", "/health"),
    "register": lambda vault: vault.register(vault.founder),
    "device": lambda vault: vault.world.call(vault.founder, "GET", f"/devices/{vault.founder.id}"),
    "vault": lambda vault: vault.call("GET"),
    "erase": lambda vault: vault.call("DELETE", headers={"If-Match": f'"{chain_of_one(vault)}"'}),
    "devices": lambda vault: vault.call("GET", "/devices"),
    "revoke": lambda vault: vault.revoke(Device.named("second")),
    "push": lambda vault: vault.push(vault.founder.changeset(2)),
    "pull": lambda vault: vault.pull(),
    "announce": lambda vault: vault.announce(b"new", covers=genesis(vault.id).as_json()),
    "snapshots": lambda vault: vault.call("GET", "/snapshots"),
    "latest": lambda vault: vault.call("GET", "/snapshots/latest"),
    "snapshot": lambda vault: vault.call("GET", f"/snapshots/{base64url(sha256(BLOB).digest())}"),
    "complete": lambda vault: vault.complete(PENDING),
}

CALLS: dict[str, str] = {
    "health": "log.ping",
    "register": "log.register",
    "device": "log.find_signer log.companion",
    "vault": "log.find_signer log.vault",
    "erase": "log.find_signer log.vault log.erase log.sweep blobs.delete",
    "devices": "log.find_signer log.roster",
    "revoke": "log.find_signer log.revoke",
    "push": "log.find_signer log.append",
    "pull": "log.find_signer log.page",
    "announce": "log.find_signer log.announce blobs.presign_upload",
    "snapshots": "log.find_signer log.vault",
    "latest": "log.find_signer log.vault blobs.presign_download",
    "snapshot": "log.find_signer log.snapshot blobs.presign_download",
    "complete": "log.find_signer log.snapshot log.complete blobs.stat blobs.presign_download",
}
"""Which methods of the stores each request calls; a test holds this table against what is called."""

TOUCHES = [Touch(request, *called.split(".")) for request, names in CALLS.items() for called in names.split()]


def chain_of_one(vault: Vault) -> str:
    """Return the chain of the prepared log without asking the relay."""
    digest = Changeset.model_validate(vault.world.as_sent(vault.founder.changeset(1))).digest(vault.id)
    return base64url(extend(genesis(vault.id), digest).chain)
