"""What the run asks of a server: to be started, and to have its requests made before the clock starts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.beside.pace import Conversation
from bench.beside.served import Served
from bench.beside.wire import Connection

TEXT_BYTES = 1050
"""What a changeset of "1 KB" takes as our JSON text; a peer that takes no JSON gets as many bytes of content."""


@dataclass(frozen=True)
class Facts:
    """What a reader has to know to judge a server's figures."""

    name: str
    version: str
    signatures: str
    """Whether it checks who sent a request, and by what."""
    page: str
    """How much one answer to a fresh pull holds."""
    note: str = ""
    cannot: dict[str, str] = field(default_factory=dict)
    """Why it can't do a piece of work, by the work's key; `""` is all of it."""


class Vault(Protocol):
    """A log that one device pushes to. Requests are ready to be sent, and good once each."""

    length: int
    """How many changesets there are, if all that was made is sent; who sends less has to lower it."""

    def push(self, count: int, batch: int = 1, size: int = TEXT_BYTES) -> list[bytes]:
        """Return pushes of `batch` changesets of `size` bytes each, after all that were made before."""

    def pull(self, after: Sequence[int], most: int) -> list[bytes]:
        """Return a pull for each place in the log, of at most that many changesets."""

    def walk(self) -> Conversation:
        """Pull everything from the start, page by page."""

    def upload(self, blob: bytes) -> Conversation:
        """Upload a snapshot."""

    def download(self) -> Conversation:
        """Download it; return its length in bytes."""


class Peer(Protocol):
    """A server."""

    facts: Facts

    def serve(self, folder: Path, prefix: Sequence[str] = ()) -> Served:
        """Start it with its data in a folder, which is there, by a command that the prefix is put before."""

    def connect(self) -> Connection:
        """Open a connection to it."""

    def found(self) -> Vault:
        """Make a new vault."""
