"""Reading the relay's answers (§6, §7): their form, and that they fit the request. Unknown members are ignored."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from relay_protocol import answers
from relay_protocol.chain import Head
from relay_protocol.devices import is_public_key, thumbprint
from relay_protocol.encoding import from_base64url, parse_json
from sync_relay_client.envelope import Envelope
from sync_relay_client.errors import AnswerInvalid, RelayRefused, RelayUnreachable
from sync_relay_client.opening import PulledEnvelope

if TYPE_CHECKING:
    from pydantic import BaseModel

A = TypeVar("A", bound="BaseModel")

Urgency = Literal["low", "high"]

_PROBLEM_DETAILS = frozenset({"type", "title", "status", "code", "detail", "instance"})
_URGENCIES: Mapping[str, Urgency] = {"low": "low", "high": "high"}
_CODE = re.compile(r"[a-z0-9_]{1,64}")
_MAX_VALUES = 1_000_000
"""How many values an answer may hold: a page's thousand changesets have fewer, and `{}` takes 72 bytes once read."""
_SECONDS = re.compile(r"[0-9]{1,9}")
_BAD_REQUEST = 400
_S3_FOR_NOW = re.compile(rb"<Code>(ExpiredToken|RequestTimeout)</Code>")
"""What S3 answers with 400, too, though another attempt with a fresh URL may succeed."""
_ENVELOPE_MEMBERS = tuple(field.name for field in fields(Envelope))


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as it came; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Pushed:
    """The answer to a push; `snapshot_wanted` is how much the relay would like a snapshot, if at all (§7.6)."""

    epoch: str
    head: Head
    receipts: Sequence[answers.ReceiptAnswer]
    snapshot_wanted: Urgency | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the log, not yet verified: `VaultSession.open_page` does that."""

    epoch: str
    changesets: Sequence[PulledEnvelope]
    cursor: int
    has_more: bool
    head: Head


def read(model: type[A], answer: Answer) -> A:
    """Read an answer of this shape. Raises RelayRefused or AnswerInvalid."""
    return _validated(model, _json_of(answer))


def check_no_content(answer: Answer) -> None:
    """Take an answer without a body. Raises RelayRefused or AnswerInvalid."""
    _check_status(answer)


def check_blob_answer(answer: Answer) -> None:
    """Take what a blob store answers without a blob. Raises as `check_no_content`, and RelayUnreachable for a while."""
    if answer.status == _BAD_REQUEST and _S3_FOR_NOW.search(answer.body):
        raise RelayUnreachable("the blob's URL has expired, or the upload was too slow")
    check_no_content(answer)


def read_registration(answer: Answer, vault_id: str, public_key: bytes) -> answers.RegistrationAnswer:
    """Read the answer to a registration. Raises AnswerInvalid if it is about another vault or device."""
    found = read(answers.RegistrationAnswer, answer)
    _require(found.vault_id == vault_id and from_base64url(found.public_key) == public_key)
    _require_certified(found)
    return found


def read_device(answer: Answer, device_id: str) -> answers.DeviceAnswer:
    """Read a device. Raises AnswerInvalid if its id does not certify its key."""
    found = read(answers.DeviceAnswer, answer)
    _require(found.device_id == device_id)
    _require_certified(found)
    return found


def read_roster(answer: Answer) -> answers.MembersAnswer:
    """Read the relay's list of devices. Raises AnswerInvalid if an id does not certify its key, or comes twice."""
    found = read(answers.MembersAnswer, answer)
    for member in found.devices:
        _require_certified(member)
    _require(len({member.device_id for member in found.devices}) == len(found.devices))
    return found


def read_pushed(answer: Answer, sent: Sequence[Envelope]) -> Pushed:
    """Read the answer to a push. Raises AnswerInvalid unless the receipts are those of what was sent, in its order."""
    found = read(answers.PushAnswer, answer)
    _require([receipt.id for receipt in found.receipts] == [envelope.id for envelope in sent])
    _require(all(1 <= receipt.seq <= found.head.seq for receipt in found.receipts))
    return Pushed(
        found.epoch, _head(found.head), found.receipts, _URGENCIES.get(answer.headers.get("sync-relay-snapshot", ""))
    )


def read_page(answer: Answer, since: int) -> Page:
    """Read a page. Raises AnswerInvalid where cursor, `has_more` and head contradict the changesets."""
    value = _json_of(answer)
    found = _validated(answers.PullAnswer, value)
    seqs = [changeset.seq for changeset in found.changesets]
    _require(found.cursor == (seqs[-1] if seqs else since))
    _require(found.has_more == (found.cursor < found.head.seq) and found.cursor <= found.head.seq)
    _require(bool(seqs) or not found.has_more)
    # The models seal the two sealed fields, also against this device: they are taken from the validated JSON.
    changesets = [_pulled(members) for members in value["changesets"]]
    return Page(found.epoch, changesets, found.cursor, found.has_more, _head(found.head))


def read_snapshot(answer: Answer, sha256: str | None = None) -> answers.SnapshotAnswer:
    """Read one snapshot. Raises AnswerInvalid if another was asked for."""
    found = read(answers.SnapshotAnswer, answer)
    _require(sha256 in (None, found.snapshot.sha256))
    return found


def read_announcement(answer: Answer, sha256: str) -> answers.AnnouncementAnswer:
    """Read the answer to an announcement. Raises AnswerInvalid if it is about another snapshot."""
    found = read(answers.AnnouncementAnswer, answer)
    _require(found.snapshot.sha256 == sha256)
    return found


def read_vault(answer: Answer, vault_id: str) -> answers.VaultAnswer:
    """Read what the relay tells of a vault. Raises AnswerInvalid if it is about another, or contradicts itself."""
    found = read(answers.VaultAnswer, answer)
    _require(found.vault_id == vault_id and found.floor.seq <= found.head.seq)
    return found


def _pulled(members: Mapping[str, Any]) -> PulledEnvelope:
    envelope = Envelope(**{name: members[name] for name in _ENVELOPE_MEMBERS})
    return PulledEnvelope(members["seq"], members["received_at"], from_base64url(members["chain"]), envelope)


def _head(found: answers.HeadAnswer) -> Head:
    return Head(found.seq, from_base64url(found.chain))


def _json_of(answer: Answer) -> Any:  # noqa: ANN401 -- any JSON value
    _check_status(answer)
    _require(_count_values(answer.body) <= _MAX_VALUES)
    try:
        return parse_json(answer.body)
    except ValueError:
        raise AnswerInvalid("the answer is not JSON") from None


def _count_values(body: bytes) -> int:
    """Return at least as many as there are values, before any is read: each begins behind one of these."""
    return sum(body.count(mark) for mark in (b",", b":", b"[", b"{"))


def _validated(model: type[A], value: object) -> A:
    try:
        return model.model_validate(value, extra="ignore")
    except ValueError:
        raise AnswerInvalid("the answer has not the form") from None


def _check_status(answer: Answer) -> None:
    if answer.status >= 400:  # noqa: PLR2004 -- RFC 9110 §15: where errors begin
        raise _refusal(answer)
    _require(200 <= answer.status < 300)  # noqa: PLR2004 -- RFC 9110 §15: success


def _refusal(answer: Answer) -> RelayRefused:
    """Read problem details, where the answer holds any: what stands before a relay answers as it likes."""
    try:
        problem = parse_json(answer.body) if _count_values(answer.body) <= _MAX_VALUES else None
    except ValueError:
        problem = None
    problem = problem if isinstance(problem, dict) else {}
    code = problem.get("code")  # it is shown to people: no text of the relay's choice
    members = {name: value for name, value in problem.items() if name not in _PROBLEM_DETAILS}
    return RelayRefused(
        answer.status,
        code if isinstance(code, str) and _CODE.fullmatch(code) else None,
        members,
        _retry_after_seconds(answer.headers),
    )


def _retry_after_seconds(headers: Mapping[str, str]) -> int | None:
    """Read `Retry-After` (RFC 9110 §10.2.3): seconds, or a date, by the clock of who wrote it. None for neither."""
    text = headers.get("retry-after", "")
    if _SECONDS.fullmatch(text):
        return int(text)
    try:
        pause = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):  # no date; one with a zone and one without; a year of ten digits
        return None
    return max(0, int(pause.total_seconds()))


def _require_certified(
    found: answers.RegistrationAnswer | answers.DeviceAnswer | answers.MemberAnswer,
) -> None:
    public_key = from_base64url(found.public_key)
    _require(is_public_key(public_key) and thumbprint(public_key) == found.device_id)


def _require(holds: bool) -> None:  # noqa: FBT001 -- reads as an assertion
    if not holds:
        raise AnswerInvalid("the answer contradicts the request, or itself")
