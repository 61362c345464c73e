"""The sync relay's wire protocol without I/O: what a client and a relay must agree on, byte for byte.

It knows no store, no HTTP framework and no cloud. Section numbers (§) are those of docs/protocol.md.
"""

PROTOCOL_VERSION = 1
