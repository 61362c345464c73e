"""What the embedded server puts up with from a connection: every bound of the transport, each once.

The protocol's own limits are in `relay_protocol.limits`; these here no client needs to know of.
"""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Bounds:
    """Sizes in bytes, times in seconds. Tests make them small."""

    max_connections: int = 1000
    max_head_bytes: int = 64 * KIB
    max_head_fields: int = 128
    max_pipelined_requests: int = 32
    max_buffered_bytes: int = 256 * MIB
    """Of the bodies of all requests together that are held in memory."""
    head_seconds: float = 10
    """From the first byte of a request, or from the connection, to the end of its head."""
    idle_seconds: float = 10
    """In which a body must come on, and an answer be read on."""
    grace_seconds: float = 30
    """After which a transfer must have kept up `min_bytes_per_second`."""
    min_bytes_per_second: int = KIB
    keep_alive_seconds: int = 75
    linger_bytes: int = 64 * MIB
    """Discarded of a refused body, so that its sender comes to read the answer."""
    linger_seconds: float = 30
    shutdown_seconds: int = 20
    """For requests under way, once the server was told to end."""
    handler_threads: int = 16
    max_group: int = 64
    """Pushes that share a commit: the first of them waits for the last."""
    max_grouped_body_bytes: int = 64 * KIB
    large_threads: int = 4
    large_body_bytes: int = 512 * KIB
    """From here on a request is busy with hashing and the disk, more than with Python."""
    transfer_threads: int = 4
