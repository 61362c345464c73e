"""The matrix: what each kind of caller is answered, for every request of the protocol (§6, §7).

An answer is a status, or a status and a code. A request is one that a member could send with success.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tools.access.callers import CALLERS

INVALID = "401 signature_invalid"
EXPIRED = "401 signature_expired"
REQUIRED = "401 signature_required"
DIGEST = "401 digest_mismatch"
UNKNOWN = "401 unknown_device"
REVOKED = "403 device_revoked"
NO_VAULT = "404 vault_not_found"
NO_DEVICE = "404 device_not_found"


@dataclass(frozen=True, slots=True)
class Row:
    """One request: its route, what is special about it, and the answer for each kind of caller."""

    method: str
    resource: str
    about: str
    answers: Mapping[str, str]

    @property
    def name(self) -> str:
        """The request in words."""
        return f"{self.method} {self.resource}" + (f", {self.about}" if self.about else "")


def rows() -> Iterator[Row]:
    """Yield the matrix, in the order of the protocol's table of endpoints (§7)."""
    yield _open("/health")
    yield _open("/config")
    yield _registration("with an endorsement", outsider="201", taken=NO_VAULT, nowhere=NO_VAULT)
    yield _registration("without one", outsider="403 endorsement_required", taken="409 vault_erased", nowhere="201")
    yield _of_a_device()
    yield _in_vault("GET", "/devices", "200")
    yield _in_vault("DELETE", "/devices/{device_id}", "204")
    yield _in_vault("GET", "", "200")
    yield _in_vault("DELETE", "", "204", again=UNKNOWN)
    yield _in_vault("POST", "/changesets", "201", again="200", has_body=True)
    yield _in_vault("GET", "/changesets", "200")
    yield _in_vault("POST", "/snapshots", "201", again="200", has_body=True)
    yield _in_vault("GET", "/snapshots", "200")
    yield _in_vault("GET", "/snapshots/latest", "200")
    yield _in_vault("GET", "/snapshots/{sha256}", "200")
    yield _in_vault("POST", "/snapshots/{sha256}/complete", "200")


def _open(resource: str) -> Row:
    """Return the row of a route that asks for no signature, and looks at none."""
    return Row("GET", resource, "", dict.fromkeys(CALLERS, "200"))


def _in_vault(method: str, below: str, first: str, *, again: str | None = None, has_body: bool = False) -> Row:
    """Return the row of a route for members: how the request is answered, and how when it is sent again."""
    allowed = dict.fromkeys(("founder", "member", "at the bound, slow", "at the bound, fast"), first)
    answers = _signed(has_body=has_body) | allowed | {"replayed": again or first}
    if again == UNKNOWN:
        answers["replayed late"] = UNKNOWN  # who is known is asked before when it was signed (§4)
    return Row(method, "/vaults/{vault_id}" + below, "", answers)


def _signed(*, has_body: bool) -> dict[str, str]:
    """Return what is answered where it does not matter what is asked. Every kind that is not named is refused so."""
    return dict.fromkeys(CALLERS, INVALID) | {
        "unsigned": REQUIRED,
        "not parsed": REQUIRED,
        "unknown": UNKNOWN,
        "P-256 key": UNKNOWN,
        "elsewhere": NO_VAULT,
        "nowhere": NO_VAULT,
        "erased": NO_VAULT,
        "revoked": REVOKED,
        "held back": REVOKED,
        **dict.fromkeys(("expired", "future", "lapsed", "replayed late"), EXPIRED),
        "other body": DIGEST if has_body else INVALID,
    }


def _of_a_device() -> Row:
    """Return the row of §7.3, about the founder: who is in no vault with it now is told of no device."""
    allowed = dict.fromkeys(("founder", "member", "at the bound, slow", "at the bound, fast", "replayed"), "200")
    hidden = dict.fromkeys(("elsewhere", "nowhere", "erased", "revoked", "held back"), NO_DEVICE)
    return Row("GET", "/devices/{device_id}", "", _signed(has_body=False) | allowed | hidden)


def _registration(about: str, *, outsider: str, taken: str, nowhere: str) -> Row:
    """Return a row of §7.2, where each registers its own key in the vault. A member's is there already."""
    return Row(
        "POST",
        "/devices",
        about,
        _signed(has_body=True)
        | dict.fromkeys(("founder", "member"), "200")
        | dict.fromkeys(("unknown", "elsewhere"), outsider)
        | dict.fromkeys(("at the bound, slow", "at the bound, fast", "replayed"), "200")
        | {"nowhere": nowhere, "erased": taken, "P-256 key": INVALID},
    )


ROWS = tuple(rows())
