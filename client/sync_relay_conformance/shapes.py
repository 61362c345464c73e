"""The shape of each answer, by request: what `relay_protocol.answers` has as models (§7)."""

import re
from collections.abc import Iterator

from pydantic import BaseModel, ValidationError

from relay_protocol import answers
from relay_protocol.errors import all_errors
from sync_relay_conformance.answer import REFUSED, Answer
from sync_relay_conformance.verdicts import Failed

_ID = "[^/?]+"
_MODELS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("GET /health", answers.HealthAnswer),
    ("GET /config", answers.ConfigAnswer),
    ("POST /devices", answers.RegistrationAnswer),
    (f"GET /devices/{_ID}", answers.DeviceAnswer),
    (f"GET /vaults/{_ID}/devices", answers.MembersAnswer),
    (f"GET /vaults/{_ID}", answers.VaultAnswer),
    (f"POST /vaults/{_ID}/changesets", answers.PushAnswer),
    (rf"GET /vaults/{_ID}/changesets(\?.*)?", answers.PullAnswer),
    (f"POST /vaults/{_ID}/snapshots", answers.AnnouncementAnswer),
    (f"GET /vaults/{_ID}/snapshots", answers.SnapshotsAnswer),
    (f"GET /vaults/{_ID}/snapshots/{_ID}", answers.SnapshotAnswer),
    (f"POST /vaults/{_ID}/snapshots/{_ID}/complete", answers.SnapshotAnswer),
)
_STATUS_OF = {error.code: error.status for error in all_errors()}
_MEMBERS_OF = {
    "changeset_conflict": {"ids"},
    "cursor_ahead": {"head"},
    "history_pruned": {"floor", "snapshot"},
    "head_moved": {"head"},
    "body_too_large": {"limit"},
    "invalid_field": {"errors"},
    "internal": {"id"},
    "quota_exceeded": {"quota", "limit"},
}
"""What a problem carries besides `type`, `title`, `status` and `code` (§6)."""
_RETRIED = {"rate_limited", "unavailable"}
NO_CONTENT = 204


def check_shape(answer: Answer) -> None:
    """Raise Failed unless the answer has exactly the members that the protocol names."""
    if answer.status >= REFUSED:
        _check_problem(answer)
    elif answer.status == NO_CONTENT:
        if answer.body:
            raise Failed(f"no body in the 204 to {answer.asked}", answer.outcome)
    else:
        _check_model(answer)


def _check_model(answer: Answer) -> None:
    for model in _models(answer.asked):
        try:
            model.model_validate_json(answer.body)
        except ValidationError as error:
            wrong = "; ".join(f"{'/'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:3])
            raise Failed(f"exactly the members of §7 in the answer to {answer.asked}", wrong) from None
        return
    raise Failed(f"no success of {answer.asked}", answer.outcome)


def _models(asked: str) -> Iterator[type[BaseModel]]:
    return (model for pattern, model in _MODELS if re.fullmatch(pattern, asked))


def _check_problem(answer: Answer) -> None:
    code = str(answer.code)
    if _STATUS_OF.get(code) != answer.status:
        raise Failed(f"a status and a code of §6's table to {answer.asked}", answer.outcome)
    members = {"type", "title", "status", "code"} | _MEMBERS_OF.get(code, set())
    if set(answer.json) != members:
        raise Failed(f"{sorted(members)} in the answer to {answer.asked}", answer.outcome)
    if (code in _RETRIED) != ("retry-after" in answer.headers):
        raise Failed(f"Retry-After with 429 and 503 alone, not so in the answer to {answer.asked}", answer.outcome)
