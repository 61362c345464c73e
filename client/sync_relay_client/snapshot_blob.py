"""The snapshot's blob (§11): a vault's whole content, sealed, with a manifest that its author signed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from relay_protocol.chain import Head
from relay_protocol.devices import verifies
from relay_protocol.encoding import from_pae, pae
from sync_relay_client.envelope import seq_of
from sync_relay_client.errors import SnapshotAuthorUnknown, SnapshotInvalid
from sync_relay_client.keys import DeviceKey, VaultKey
from sync_relay_client.membership import certified
from sync_relay_client.secretstream import open_frames, seal_frames

_LABEL = b"sync-relay/manifest/v1"
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class SnapshotContext:
    """What a blob is bound to: the relay tells it, and the seal proves it."""

    vault_id: str
    covers: Head
    schema_version: int
    key_id: str

    def associated_data(self) -> bytes:
        """Return what the first frame binds besides its content."""
        return pae(
            "sync-relay/snapshot/v1",
            self.vault_id,
            self.covers.seq,
            self.covers.chain,
            self.schema_version,
            self.key_id,
        )


@dataclass(frozen=True, slots=True)
class ContentMeasure:
    """Size in bytes and SHA-256 of a snapshot's content."""

    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot's author signs: the content, and who belongs at the changeset that it covers."""

    author: str
    content: ContentMeasure
    rekey_seq: int
    """The seq of the rekey in force, or 0."""
    public_keys: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the bytes that are signed."""
        return pae(_LABEL, self.author, self.content.size, self.content.sha256, self.rekey_seq, *self.public_keys)

    @classmethod
    def decode(cls, data: bytes) -> "Manifest":
        """Read a manifest. Raises ValueError."""
        label, author, size, digest, rekey_seq, *public_keys = from_pae(data)
        if label != _LABEL or len(digest) != _DIGEST_BYTES or not public_keys:
            raise ValueError("not a manifest")
        if len(certified(public_keys)) != len(public_keys):
            raise ValueError("a device twice")
        return cls(author.decode(), ContentMeasure(seq_of(size), digest), seq_of(rekey_seq), tuple(public_keys))


def measure(content: Iterable[bytes]) -> ContentMeasure:
    """Measure a content, in bounded memory. It is read twice: now, and by `seal_snapshot`."""
    meter = _Meter()
    for piece in content:
        meter.add(piece)
    return meter.measure()


def seal_snapshot(
    context: SnapshotContext, key: VaultKey, author: DeviceKey, manifest: Manifest, content: Iterable[bytes]
) -> Iterator[bytes]:
    """Yield the blob, piece by piece. Each call gives another blob: spool it, then announce what was spooled.

    Raises ValueError, in place of the end, if the content is not the one that the manifest measures.
    """
    encoded = manifest.encode()
    signature = author.sign(_signed(context, encoded))
    first = pae(encoded, signature)
    return seal_frames(key.aead_key, context.associated_data(), first, _as_measured(content, manifest.content))


@dataclass
class SnapshotReader:
    """A blob being opened. Made, it has verified the manifest; the content is verified once it was read to its end.

    `authors` are the public keys of those whose snapshots are accepted, by device id; None takes the word of whoever
    has the vault key, for one who knows nobody. Making one and reading it raise SnapshotInvalid, and whatever the
    source of the blob raises.
    """

    context: SnapshotContext
    key: VaultKey = field(repr=False)
    authors: Mapping[str, bytes] | None = field(repr=False)
    blob: Iterable[bytes] = field(repr=False)
    manifest: Manifest = field(init=False)
    is_verified: bool = field(init=False, default=False)
    """Whether the whole content was read and is the one that the author signed."""

    def __post_init__(self) -> None:
        self._frames = open_frames(self.key.aead_key, self.context.associated_data(), self.blob)
        first = next(self._frames)
        try:
            encoded, signature = from_pae(first.plaintext)
            self.manifest = Manifest.decode(encoded)
        except ValueError:
            raise SnapshotInvalid("the manifest has not the form") from None
        authors = certified(self.manifest.public_keys) if self.authors is None else self.authors
        author = authors.get(self.manifest.author)
        if author is None:
            raise SnapshotAuthorUnknown("the snapshot's author is not one to be trusted")
        if not verifies(author, _signed(self.context, encoded), signature):
            raise SnapshotInvalid("the author's signature does not verify")
        if self.manifest.rekey_seq > self.context.covers.seq:
            raise SnapshotInvalid("the rekey in force lies after what the snapshot covers")

    def content(self) -> Iterator[bytes]:
        """Yield the content, once. Keep nothing of it before the iterator has ended: only then all is verified."""
        meter, expected = _Meter(), self.manifest.content
        for frame in self._frames:
            meter.add(frame.plaintext)
            if meter.size > expected.size:
                break
            yield frame.plaintext
        if meter.measure() != expected:
            raise SnapshotInvalid("the content is not the one that the author signed")
        self.is_verified = True


def _signed(context: SnapshotContext, manifest: bytes) -> bytes:
    return pae("sync-relay/snapshot-author/v1", context.associated_data(), manifest)


def _as_measured(content: Iterable[bytes], expected: ContentMeasure) -> Iterator[bytes]:
    meter = _Meter()
    for piece in content:
        meter.add(piece)
        yield piece
    if meter.measure() != expected:
        raise ValueError("the content is not the one that was measured")


class _Meter:
    """Counts and hashes what passes."""

    def __init__(self) -> None:
        self.size = 0
        self._sha256 = sha256()

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self._sha256.update(piece)

    def measure(self) -> ContentMeasure:
        return ContentMeasure(self.size, self._sha256.digest())
