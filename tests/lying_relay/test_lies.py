"""Everything that a relay could do wrong is named, or does no harm; and once it is honest again, all goes on."""

from pathlib import Path

import pytest

from relay_protocol.encoding import base64url
from sync_relay_client import errors
from tests.client.crash import dump
from tests.lying_relay.every import ABOUT
from tests.lying_relay.memory import at_most
from tests.lying_relay.registry import LIES, Lie
from tests.lying_relay.relay import LyingRelay
from tests.lying_relay.scene import Scene, wanted

NOT_BY_A_RELAY = {
    "RecoveryWordsInvalid",
    "ProfileMissing",
    "ProfileTaken",
    "ProfileUnsafe",
    "ProfileBroken",
}


@pytest.mark.parametrize("lie", [pytest.param(lie, id=lie.name) for lies in ABOUT.values() for lie in lies])
def test_a_lie_is_named_or_harmless_and_all_goes_on_after_it(liar: LyingRelay, home: Path, lie: Lie) -> None:
    scene = Scene(liar, home, lie.timeout_seconds)
    try:
        trap = lie.lay(scene)
        before = {folder.name: dump(folder) for folder in home.iterdir()}
        with at_most(lie.peak_bytes):
            if lie.caught is None:
                trap()
            else:
                with pytest.raises(errors.SyncRelayError) as caught:
                    trap()
        if lie.caught is not None:
            assert type(caught.value) is lie.caught
            keep_secrets(scene, caught.value)
        assert not [asked for asked in liar.heard if asked.path.startswith("/blobs/") and asked.field("signature")]
        assert (liar.elsewhere, liar.mistakes) == ([], [])
        if lie.caught is not None and lie.keeps_state:
            assert {folder.name: dump(folder) for folder in home.iterdir()} == before
        if lie.caught is not None:
            assert not [path for path in home.glob("*/spool/*") if path.name.startswith(("download", "restored"))]
        if lie.timeout_seconds is not None:
            scene.reopen()
        if lie.recovers:
            scene.goes_on()
    finally:
        scene.close()


def keep_secrets(scene: Scene, error: BaseException | None) -> None:
    """See that an error, and what it came of, tells no key, payload or signature; and itself no word of the relay's."""
    assert "canary" not in str(error)
    secrets = {payload.decode() for folder in scene.home.iterdir() for payload in wanted(folder)}
    session = scene.session
    for key in (*(key.secret for key in session.keys), session.device.signing_key.encode()):
        secrets |= {key.hex(), base64url(key), repr(key)[2:-1]}
    secrets |= {value for asked in scene.liar.heard if (value := asked.field("signature")) is not None}
    while error is not None:
        told = f"{error} {error!r}"
        assert not [secret for secret in secrets if secret in told]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_every_error_that_a_relay_can_cause_has_a_lie() -> None:
    leaves, pending = set(), [errors.SyncRelayError]
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        if not kind.__subclasses__():
            leaves.add(kind.__name__)
    named = {lie.caught.__name__ for lie in LIES if lie.caught is not None}
    assert leaves - named == NOT_BY_A_RELAY
