"""What a command says and returns when it fails: one line, advice where there is some, and an exit status."""

import json

import click

from sync_relay_client.cli.settings import Settings, printable
from sync_relay_client.errors import (
    AnswerInvalid,
    ChangesetInvalid,
    EpochChanged,
    HistoryInvalid,
    KeyUnknown,
    ProfileError,
    ProfileMissing,
    ProfileTaken,
    ProfileUnsafe,
    RelayRefused,
    RelayUnreachable,
    RotatedOut,
    SnapshotInvalid,
    SyncRelayError,
)

EXIT_FAILED = 1
EXIT_UNREACHABLE = 3
EXIT_REFUSED = 4
EXIT_TAMPERED = 5
EXIT_EPOCH = 6
EXIT_PROFILE = 7
EXIT_INTERRUPTED = 130

STATUSES_HELP = """\b
Exit status:
  0    done
  1    failed
  2    wrong usage
  3    the relay does not answer
  4    the relay refuses
  5    tampering detected: nothing was applied
  6    the relay's store was restored: stop and ask
  7    something about the profile
  130  interrupted: nothing is lost"""

_STATUS_OF: tuple[tuple[type[SyncRelayError], int], ...] = (
    (RelayUnreachable, EXIT_UNREACHABLE),
    (RelayRefused, EXIT_REFUSED),
    (AnswerInvalid, EXIT_TAMPERED),
    (HistoryInvalid, EXIT_TAMPERED),
    (ChangesetInvalid, EXIT_TAMPERED),
    (SnapshotInvalid, EXIT_TAMPERED),
    (EpochChanged, EXIT_EPOCH),
    (ProfileError, EXIT_PROFILE),
)

_TAMPERED = "Nothing was applied. Do not trust this relay before you know why; your other devices can still compare."

_ADVICE: tuple[tuple[type[SyncRelayError], str], ...] = (
    (KeyUnknown, "The vault's key changed while this device was away: ask for an invitation, and join again."),
    (RelayUnreachable, "What was recorded is kept, and sent with the next push. Look: sync-relay doctor"),
    (EpochChanged, "Ask whoever runs the relay whether it was restored from a backup. If so: sync-relay accept-epoch"),
    (ProfileMissing, "Found a vault with `sync-relay init URL`, or join one with `sync-relay join`."),
    (ProfileTaken, "Choose another folder: --profile DIR"),
    (ProfileUnsafe, "Look who has read it, then: chmod -R go= the profile's folder"),
    (AnswerInvalid, _TAMPERED),
    (HistoryInvalid, _TAMPERED),
    (ChangesetInvalid, _TAMPERED),
    (SnapshotInvalid, _TAMPERED),
)

_ADVICE_BY_CODE = {
    "signature_expired": "This machine's clock or the relay's is wrong. Look: sync-relay doctor",
    "unknown_device": "The relay does not know this device: the vault was erased, or it is another relay.",
    "vault_erased": "The vault was erased for ever. `sync-relay export` still prints what this device holds.",
    "device_revoked": "This device was revoked. `sync-relay export` still prints what it holds.",
    "head_moved": "Another device pushed meanwhile: try again.",
    "endorsement_expired": "The invitation is too old: ask for another one.",
    "vault_creation_closed": "This relay wants its operator's token: sync-relay init --token-file FILE URL",
    "api_key_required": "This relay asks for an API key, or for another one: --api-key-file FILE, once.",
    "rate_limited": "Too many requests: try again in a minute.",
}


class Failure(click.ClickException):
    """A command can't do what it was asked for, for a reason of its own."""

    exit_code = EXIT_FAILED


def exit_status(error: SyncRelayError) -> int:
    """Return the exit status of an error: the first of its classes that has one, else 1."""
    return next((status for kind, status in _STATUS_OF if isinstance(error, kind)), EXIT_FAILED)


def advice(error: SyncRelayError) -> str | None:
    """Return what to do about an error, None where there is nothing to say."""
    if isinstance(error, RelayRefused):
        return _ADVICE_BY_CODE.get(error.code or "")
    if isinstance(error, RotatedOut) and error.seq is not None:
        return f"A revoked device wrote it. To leave it out on this device: --pass-over {error.seq}, to pull or recover"
    if isinstance(error, RotatedOut):
        return "This device was revoked, for ever. If that was a mistake, join as a new one: --profile DIR"
    return next((text for kind, text in _ADVICE if isinstance(error, kind)), None)


def report(error: SyncRelayError, settings: Settings) -> None:
    """Write an error to standard error, as JSON where results are JSON."""
    message, hint = printable(str(error)), advice(error)
    if settings.as_json:
        _write(type(error).__name__, message, hint, exit_status(error))
        return
    click.echo(f"sync-relay: {type(error).__name__}: {message}", err=True)
    if hint is not None:
        click.echo(hint, err=True)


def report_failure(failure: Failure, settings: Settings) -> None:
    """Write a failure to standard error, as JSON where results are JSON."""
    if settings.as_json:
        _write("Failure", printable(failure.message), None, failure.exit_code)
    else:
        failure.show()


def _write(name: str, message: str, hint: str | None, status: int) -> None:
    found = {"error": name, "message": message, "advice": hint, "exit_status": status}
    click.echo(json.dumps(found), err=True)
