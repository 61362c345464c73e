"""The sentences of docs/protocol.md that no check of the kit is about: why, and where they are tested instead."""

from collections.abc import Iterator
from dataclasses import dataclass

CLIENT = "binds the client"
INSIDE = "not visible from outside"
EXPLAINS = "asks for nothing"
VECTORS = "an example, in the test vectors"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A sentence (how it begins), why the kit has no check for it, and the file that tests it."""

    section: str
    begins: str
    reason: str
    tests: str = ""


_VECTOR_TESTS = "tests/unit/test_protocol_encoding.py", "tests/unit/test_protocol_devices.py"
_SIGNING_TESTS = "tests/unit/test_protocol_signing.py"
_RATE_TESTS = "tests/http/test_http_rate_limit.py"

ELSEWHERE = (
    Elsewhere("1", "| sealed | bytes that the relay may store", INSIDE, "tests/zk/test_canaries.py"),
    Elsewhere("1", '{"crv":"Ed25519","kty":"OKP","x":"XtW7', VECTORS, _VECTOR_TESTS[1]),
    Elsewhere("2", "A client MUST NOT send a member name twice", CLIENT, "tests/client/test_requests.py"),
    Elsewhere("2", "LE64 is an unsigned 64-bit little-endian integer", INSIDE, _VECTOR_TESTS[0]),
    Elsewhere("2", 'PAE("a", "bc") = 02', VECTORS, _VECTOR_TESTS[0]),
    Elsewhere("3", "genesis is SHA-256 of these 81 bytes", VECTORS, _VECTOR_TESTS[1]),
    Elsewhere("3", "changeset 4ca7732d-e271", VECTORS, _VECTOR_TESTS[1]),
    Elsewhere("3", "chain_1 is SHA-256 of these 115 bytes", VECTORS, _VECTOR_TESTS[1]),
    Elsewhere("4", "A relay behind a proxy that rewrites `Host`", INSIDE, "tests/http/test_door_events.py"),
    Elsewhere("4", "So a client SHOULD NOT serve https at port 80", CLIENT, _SIGNING_TESTS),
    Elsewhere("4", "GET /vaults/0b5f3c1e", VECTORS, _SIGNING_TESTS),
    Elsewhere("4", "The key signs this signature base", VECTORS, _SIGNING_TESTS),
    Elsewhere("4", '"@method": GET "@authority": relay.example', VECTORS, _SIGNING_TESTS),
    Elsewhere("4", "Content-Type: application/json Content-Digest:", VECTORS, _SIGNING_TESTS),
    Elsewhere("4", "See the [threat model]", EXPLAINS),
    Elsewhere("5", "`POST /devices` does tell whether a vault exists", EXPLAINS),
    Elsewhere("5", "Clients don't trust the relay's list", CLIENT, "tests/client/test_opening_members.py"),
    Elsewhere("5", "**Worked example** (`endorsements.json`).", VECTORS, _VECTOR_TESTS[1]),
    Elsewhere("5", "`alice` lets `bob` join until", VECTORS, _VECTOR_TESTS[1]),
    Elsewhere("5", "0400000000000000", VECTORS, _VECTOR_TESTS[1]),
    Elsewhere("5", '{"vault_id":"0b5f3c1e', VECTORS, _VECTOR_TESTS[1]),
    Elsewhere("6", "A `code` is stable; a `title` is for people.", EXPLAINS),
    Elsewhere(
        "6", '{"type":"about:blank","title":"A field is not valid"', VECTORS, "tests/http/test_http_error_table.py"
    ),
    Elsewhere("6", "A gateway that stands before a relay", INSIDE, "tests/infra/test_api.py"),
    Elsewhere("6", "Before all of this the embedded relay refuses", INSIDE, "tests/http/test_server_requests.py"),
    Elsewhere("7", "`schema/openapi.json` has the same", INSIDE, "tests/unit/test_openapi_document.py"),
    Elsewhere("7.6", "A 503 is handled the same way", CLIENT, "tests/client/test_retry.py"),
    Elsewhere("7.7", "Between the 410 and the download", CLIENT, "tests/e2e/snapshots/test_aging.py"),
    Elsewhere("7.8", "**Announce.** `POST /vaults/{vault_id}/snapshots`", EXPLAINS),
    Elsewhere("9", "IPv6 counts by /64.", INSIDE, _RATE_TESTS),
    Elsewhere("9", "Addresses are stored only as keyed hashes.", INSIDE, _RATE_TESTS),
    Elsewhere("9", "**Decided here:** an IPv4 address mapped into IPv6", INSIDE, _RATE_TESTS),
    Elsewhere("9", "If the limiter's store is down", INSIDE, _RATE_TESTS),
    Elsewhere("9", "**Decided here:** the fields then tell the whole quota.", INSIDE, _RATE_TESTS),
    Elsewhere("10", "The relay has no vault key.", INSIDE, "tests/zk/test_canaries.py"),
    Elsewhere("10", "It may write them to the store", INSIDE, "tests/zk/test_lint_zk_real_tree.py"),
    Elsewhere("10", "Tests prove it by canaries over every sink", INSIDE, "tests/zk/test_canaries.py"),
    Elsewhere("10", "The relay does learn which devices sync when", EXPLAINS),
    Elsewhere("10", "The envelope of §11 puts nothing there", CLIENT, "tests/client/test_client_vectors.py"),
    Elsewhere("10", "The [threat model](threat-model.md) says", EXPLAINS),
)

BESIDES = (
    Elsewhere("7.8", "clients SHOULD ask no others, and SHOULD refuse", CLIENT, "tests/lying_relay/test_lies.py"),
    Elsewhere("7.6", "A 2xx is given only once", INSIDE, "tests/e2e/test_exactly_once.py"),
    Elsewhere("7.6", "A 2xx is given only once", INSIDE, "tests/contract/test_sqlite_processes.py"),
)
"""Sentences of which a check sees a part; the rest needs a hand on the relay's power switch, or is the client's."""

CLIENTS_SECTION = "11"
CLIENTS_TESTS = (
    ("Keys", "tests/client/test_keys_and_padding.py"),
    ("Envelope", "tests/client/test_client_vectors.py"),
    ("Opening", "tests/client/test_opening.py"),
    ("Who belongs", "tests/client/test_opening_members.py"),
    ("Rotation", "tests/client/test_rotation.py"),
    ("Invitation", "tests/client/test_invitation.py"),
    ("Snapshot", "tests/client/test_snapshot_session.py"),
)
"""§11 binds clients alone, and a relay knows nothing of it: by its headings."""


def of(section: str, text: str) -> Iterator[Elsewhere]:
    """Yield what is said here of a sentence."""
    return (one for one in ELSEWHERE if one.section == section and text.startswith(one.begins))
