"""What looks like a secret and is none, each with its reason. A new line here is for a reviewer to judge."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A kind of finding that is none in the files of a pattern."""

    path: str
    kind: str
    reason: str


KNOWN: tuple[Known, ...] = (
    Known("schema/vectors/devices.json", "assigned secret", "seeds of test vectors: the file says never to use them"),
    Known("schema/vectors/envelope.json", "assigned secret", "the vault key of a test vector, public as the file is"),
    Known("tests/lying_relay/about_blobs.py", "password in a URL", "a URL that a lying relay hands out, to be refused"),
    Known("tests/client/*test_*.py", "password in a URL", "`user:password@…`, which the client has to refuse"),
)
