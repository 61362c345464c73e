"""What the core needs from the world, and what each method guarantees.

Times are integer Unix milliseconds unless the name says otherwise. Every method of `Log` is one atomic step:
it happens wholly or not at all, no reader sees a part of it, and once it has returned, its effect survives the
loss of the process and of the machine's power. Expected outcomes are return values. Where a store can't answer,
every method of every port raises `StoreUnavailable`; then a write may have happened or not, and repeating the call
is safe.

A write whose outcome is a matter of rules takes a `plan`: a pure function of the core. Within the atomic step the
adapter reads the state the plan needs, calls it, and stores what it returns. It may call it again with a newer
state (optimistic stores do), but stores the result of the last call only.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, Literal, Protocol, TypeVar

from relay_protocol.chain import Head
from relay_protocol.sealed import Sealed

R = TypeVar("R")


class StoreUnavailable(Exception):
    """A store can't answer now: full, locked, damaged, slow or gone. `reason` is for the log; it holds no input."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


# ---------------------------------------------------------------- vaults and members


@dataclass(frozen=True, slots=True)
class Endorsement:
    """What a member signed to let a device join; `expires_at` in Unix seconds, `signature` as base64url."""

    endorser: str
    expires_at: int
    signature: str


@dataclass(frozen=True, slots=True)
class Member:
    """A device registered in a vault, revoked or not."""

    device_id: str
    public_key: bytes
    registered_at_ms: int
    revoked_at_ms: int | None = None
    endorsement: Endorsement | None = None


class Standing(Enum):
    """What a known device is to one vault. An unknown vault and one it never was in are the same: STRANGER."""

    MEMBER = "member"
    REVOKED = "revoked"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Signer:
    """A device that was registered in a vault that still exists."""

    public_key: bytes
    standing: Standing


@dataclass(frozen=True, slots=True)
class Device:
    """A device on its own; `registered_at_ms` is its first registration in a vault that still exists."""

    device_id: str
    public_key: bytes
    registered_at_ms: int


@dataclass(frozen=True, slots=True)
class Roster:
    """All devices of a vault, revoked ones too, in order of registration."""

    epoch: str
    members: Sequence[Member]


@dataclass(frozen=True, slots=True)
class PairingState:
    """What a registration depends on. `epoch` and `head` are None unless the vault is live."""

    vault: Literal["absent", "erased", "live"]
    epoch: str | None = None
    head: Head | None = None
    device: Member | None = None
    """The registration of the device that knocks, if there is one."""
    endorser: Member | None = None
    """The registration of the device that endorses it, if there is one."""
    members: int = 0
    """How many devices are registered and not revoked."""


@dataclass(frozen=True, slots=True)
class PairingPlan(Generic[R]):
    """Store `add`, if it is given; with `new_epoch` the vault is created first. `outcome` is the core's own."""

    outcome: R
    add: Member | None = None
    new_epoch: str | None = None


class Revocation(Enum):
    """How a revocation ended. REVOKED also if it had been before: the first time stays."""

    REVOKED = "revoked"
    NOT_FOUND = "not found"
    LAST_MEMBER = "last member"


@dataclass(frozen=True, slots=True)
class VaultInfo:
    """A vault as its members see it. `members` counts those not revoked; `changeset_bytes` the unpruned texts."""

    epoch: str
    created_at_ms: int
    head: Head
    floor: Head
    members: int
    changeset_bytes: int
    snapshots: Sequence["SnapshotRecord"]
    """Those that are there at the time asked for, newest first."""


# ---------------------------------------------------------------- the log


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is kept of a changeset for ever, also once it was pruned."""

    id: str
    digest: bytes
    seq: int
    chain: bytes
    received_at_ms: int


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A changeset to store: its receipt, its sealed JSON text, and the text's length."""

    receipt: Receipt
    text: Sealed[bytes]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Record:
    """A stored changeset, as a pull carries it."""

    seq: int
    chain: bytes
    received_at_ms: int
    text: Sealed[bytes]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LogState:
    """What an append depends on."""

    epoch: str
    head: Head
    stored_bytes: int
    """The unpruned changesets' texts and the snapshots that are there."""
    covered_seq: int
    """The highest seq that an available snapshot covers, or 0."""
    standing: Standing
    """The pusher's, at this very step."""
    known: Mapping[str, Receipt]
    """The receipts of those of the asked ids that are in the log, pruned ones too."""


@dataclass(frozen=True, slots=True)
class AppendPlan(Generic[R]):
    """Store `records`, whose seqs and chains follow the state's head. `outcome` is the core's own."""

    outcome: R
    records: Sequence[NewRecord] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A contiguous run of the log from one consistent view; empty if `since` is before the floor or past the head."""

    epoch: str
    head: Head
    floor: Head
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class PruneStep:
    """One step of pruning: the floor after it, and whether there is more to prune."""

    floor: Head
    more: bool


# ---------------------------------------------------------------- snapshots


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    """An announced blob. `blob_key` names it in the store; each announcement draws a new one."""

    sha256: bytes
    size_bytes: int
    key_id: str
    schema_version: int
    covers: Head
    origin_device: str
    created_at_ms: int
    expires_at_ms: int
    """When it is gone unless it was completed."""
    blob_key: str
    available: bool = False

    def is_there(self, now_ms: int) -> bool:
        """Whether it exists at this time: a pending one exists until it expires."""
        return self.available or now_ms < self.expires_at_ms


@dataclass(frozen=True, slots=True)
class AnnounceState:
    """What an announcement depends on."""

    epoch: str
    head: Head
    existing: SnapshotRecord | None
    """The snapshot of the same blob that is there."""
    chain_at_covers: bytes | None
    """The log's chain at the announced `covers.seq`, also below the floor; None past the head."""
    pending: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class AnnouncePlan(Generic[R]):
    """Store `add`, if it is given, in the place of an expired one of the same blob. `outcome` is the core's own."""

    outcome: R
    add: SnapshotRecord | None = None


class Log(Protocol):
    """Vaults, members, changesets and the records of snapshots. A vault is live, erased for ever, or absent."""

    def ping(self) -> None:
        """Return if the store can answer."""

    def find_signer(self, device_id: str, vault_id: str | None) -> Signer | None:
        """Return the device's key and its standing in the vault (STRANGER where None is given).

        None if it was never registered in a vault that still exists. Takes the same reads for a vault
        that is absent and for one that the device is not in.
        """

    def register(
        self,
        vault_id: str,
        device_id: str,
        endorser_id: str | None,
        now_ms: int,
        plan: Callable[[PairingState], PairingPlan[R]],
    ) -> R:
        """Create the vault (`created_at` is `now_ms`) and add the member, as the plan says; return its outcome."""

    def companion(self, signer_id: str, device_id: str) -> Device | None:
        """Return a device that is or was in a vault of which the signer is a member, or that is the signer."""

    def roster(self, vault_id: str) -> Roster | None:
        """Return all devices of a vault; None if it is not live."""

    def revoke(self, vault_id: str, device_id: str, now_ms: int) -> Revocation:
        """Revoke a device. NOT_FOUND also if the vault is not live. Repeating it changes nothing."""

    def vault(self, vault_id: str, now_ms: int) -> VaultInfo | None:
        """Return the vault; None if it is not live."""

    def erase(self, vault_id: str, if_match: bytes) -> Head | None:
        """Erase the vault if `if_match` is its head's chain: return None, also if the vault is not live.

        Else change nothing and return the head. From this step on the vault is erased for every method and its
        members are strangers; its changesets may be removed later, by `sweep`.
        """

    def sweep(self, max_rows: int) -> bool:
        """Remove up to `max_rows` rows that erasures left; return whether there is more. Repeating it is safe."""

    def reap(self, after: str, limit: int) -> str | None:
        """Look at up to `limit` things that appends put aside before their last step, in order, from a place on.

        Remove those whose append never ended and never will. Return the place to go on from, or None at the end.
        `after` is "" to begin, such a place, or a vault's id. A store that puts nothing aside is at its end at once.
        """

    def renew_epochs(self, draw: Callable[[], str]) -> int:
        """Give every vault a new epoch from `draw`; return how many there are.

        It is one step for each vault, and for all where they are kept together. A call that failed is repeated.
        """

    def append(
        self,
        vault_id: str,
        device_id: str,
        ids: Sequence[str],
        now_ms: int,
        plan: Callable[[LogState], AppendPlan[R]],
    ) -> R | None:
        """Store the plan's records and return its outcome; None if the vault is not live.

        Appends to one vault are serial: each sees the head that the one before it left. What is stored is in
        every `page` that starts after this returns, and its receipts are in `known` of every later append.
        """

    def page(self, vault_id: str, since: int, limit: int, max_bytes: int) -> Page | None:
        """Return up to `limit` records after `since`, ascending from since + 1; None if the vault is not live.

        Ends before the sum of `size_bytes` would pass `max_bytes`, but holds one record if there is one.
        """

    def announce(
        self,
        vault_id: str,
        sha256: bytes,
        covers_seq: int,
        now_ms: int,
        plan: Callable[[AnnounceState], AnnouncePlan[R]],
    ) -> R | None:
        """Store the plan's snapshot and return its outcome; None if the vault is not live."""

    def snapshot(self, vault_id: str, sha256: bytes, now_ms: int) -> tuple[str, SnapshotRecord | None] | None:
        """Return epoch and the snapshot, if it is there; None if the vault is not live."""

    def complete(self, vault_id: str, blob_key: str, now_ms: int) -> SnapshotRecord | None:
        """Make the snapshot with this blob available and return it; None if it is not there (any more).

        Repeating it changes nothing.
        """

    # -------- retention

    def vault_ids(self, after: str, limit: int) -> Sequence[str]:
        """Return up to `limit` ids of live vaults greater than `after` (`""` to begin), in ascending order."""

    def drop_snapshots(self, vault_id: str, blob_keys: Sequence[str], now_ms: int) -> None:
        """Remove the records with these blobs, and those of pending snapshots that have expired."""

    def prune(self, vault_id: str, received_before_ms: int, max_rows: int) -> PruneStep | None:
        """Drop the texts of the oldest changesets, keeping their receipts, and raise the floor.

        Takes up to `max_rows`, in order of seq, as long as an *available* snapshot covers them and they were
        received before the given time. None if the vault is not live.
        """


# ---------------------------------------------------------------- blobs


@dataclass(frozen=True, slots=True)
class Upload:
    """A presigned upload: PUT the announced bytes to `url` with exactly these header fields."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BlobStat:
    """What the store holds: length and SHA-256 as the store itself has checked them."""

    size_bytes: int
    sha256: bytes


class Blobs(Protocol):
    """Snapshot blobs by key, `<vault_id>/<uuid>`. A key is never given to two announcements.

    `origin` is the relay's base URL as the client sees it, for stores that the relay serves itself.
    """

    def presign_upload(self, blob_key: str, size_bytes: int, sha256: bytes, expires_at_ms: int, origin: str) -> Upload:
        """Return an upload that takes only the bytes of this size and SHA-256, until it expires.

        A blob appears whole or not at all, and survives the loss of power once the upload was answered.
        """

    def presign_download(self, blob_key: str, expires_at_ms: int, origin: str) -> str:
        """Return a URL that GETs the blob until it expires."""

    def stat(self, blob_key: str) -> BlobStat | None:
        """Return what is stored under the key; None if nothing is."""

    def delete(self, blob_key: str) -> None:
        """Remove the blob. Removing one that is not there is fine."""

    def keys(self, after: str = "") -> Iterator[str]:
        """Yield the key of every stored blob, in ascending order, from the first that is greater than `after`."""


# ---------------------------------------------------------------- limiter


@dataclass(frozen=True, slots=True)
class Quota:
    """So many requests in so many seconds; the whole quota may come at once (§9)."""

    requests: int
    window_seconds: int

    @property
    def interval_us(self) -> int:
        """The time one request costs, in microseconds (at least one)."""
        return max(1, self.window_seconds * 1_000_000 // self.requests)

    def take(self, arrival_us: int | None, now_us: int) -> tuple["Ticket", int]:
        """Judge one request by GCRA; return the ticket and the theoretical arrival time to store.

        `arrival_us` is the stored one, None if there is none. Times are Unix microseconds.
        """
        interval = self.interval_us
        burst_us = interval * self.requests
        due = min(max(now_us, arrival_us or 0), now_us + burst_us)  # a clock that was set back locks nobody out
        allowed = due + interval - now_us <= burst_us
        next_due = due + interval if allowed else due
        ticket = Ticket(
            allowed=allowed,
            remaining=max(0, (burst_us - (next_due - now_us)) // interval),
            reset_seconds=_whole_seconds(next_due - now_us),
            retry_after_seconds=0 if allowed else max(1, _whole_seconds(due + interval - now_us - burst_us)),
        )
        return ticket, next_due


def _whole_seconds(duration_us: int) -> int:
    return -(-duration_us // 1_000_000)


@dataclass(frozen=True, slots=True)
class Ticket:
    """The limiter's word on one request: requests left, seconds until the whole quota is back, and until the next."""

    allowed: bool
    remaining: int
    reset_seconds: int
    retry_after_seconds: int


class Limiter(Protocol):
    """Rate limits by opaque keys. Nothing in it needs to survive a loss of power."""

    def take(self, key: bytes, quota: Quota, now_us: int, meanwhile: Callable[[], None] | None = None) -> Ticket:
        """Judge one request in one atomic step. Each call counts.

        A store that has to be waited for may call `meanwhile` once, on the caller's thread, and returns after it. It
        must not raise, nor do anything that a refused request may not have done.
        """

    def forget(self, now_us: int) -> None:
        """Remove the keys whose quota is whole again."""


# ---------------------------------------------------------------- clock and ids


class Clock(Protocol):
    """The wall clock."""

    def now_us(self) -> int:
        """Return Unix microseconds."""


class Ids(Protocol):
    """Randomness."""

    def uuid(self) -> str:
        """Return a new random UUID, lower case, hyphenated."""
