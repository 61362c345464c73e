"""Flows: what a device does with a relay, without I/O, so that blocking and asynchronous code share it.

A flow is a generator. It yields an action, is sent that action's result, or is thrown what went wrong, and returns
when it is through. No transaction is open while it waits for an action.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from relay_protocol.answers import DownloadableSnapshot
from relay_protocol.answers import Upload as UploadTarget
from sync_relay_client.address import RelayAddress
from sync_relay_client.answers import Answer
from sync_relay_client.errors import SyncRelayError
from sync_relay_client.keys import DeviceKey
from sync_relay_client.requests import Request

R = TypeVar("R")

Progress = Callable[[int, int], None]
"""Told how many bytes are through, and of how many. It only rises, also where a transfer begins anew."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request, signed by `signer` unless that is None; the result is the answer as it came."""

    address: RelayAddress
    request: Request
    signer: DeviceKey | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Upload:
    """Send a file's bytes to where this relay says that a snapshot's blob goes."""

    relay: RelayAddress
    target: UploadTarget
    blob: Path
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """Write a blob that this relay offers to a file, and see that it is the announced one."""

    relay: RelayAddress
    snapshot: DownloadableSnapshot
    blob: Path
    progress: Progress | None = None


Action = Send | Pause | Upload | Download
Outcome = Answer | SyncRelayError | None
"""What became of an action: an answer to a Send, nothing to say, or what went wrong."""
Flow = Generator[Action, Answer | None, R]


def rising(progress: Progress | None) -> Progress | None:
    """Return what tells `progress` of each transfer of the same blob, once it is further than any before."""
    if progress is None:
        return None
    furthest = 0

    def tell(through: int, size: int) -> None:
        nonlocal furthest
        if through > furthest:
            furthest = through
            progress(through, size)

    return tell


@dataclass(frozen=True, slots=True)
class Done(Generic[R]):
    """The end of a flow."""

    result: R


def advance(flow: Flow[R], outcome: Outcome) -> Action | Done[R]:
    """Go on with what became of the last action (None to begin); return the next one, or the end."""
    step = partial(flow.throw, outcome) if isinstance(outcome, SyncRelayError) else partial(flow.send, outcome)
    try:
        return step()
    except StopIteration as stop:
        return Done(stop.value)


def drive(flow: Flow[R], perform: Callable[[Action], Answer | None]) -> R:
    """Run a flow to its end; `perform` does what it asks for, and raises an error of the tree where it can't."""
    outcome: Outcome = None
    while True:
        step = advance(flow, outcome)
        if isinstance(step, Done):
            return step.result
        try:
            outcome = perform(step)
        except SyncRelayError as error:
            outcome = error
        except BaseException:
            flow.close()
            raise
