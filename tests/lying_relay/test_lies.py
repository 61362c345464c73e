"""Everything that a relay could do wrong is named, or does no harm; and once it is honest again, all goes on."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync_relay_client import errors
from tests.client.crash import dump
from tests.lying_relay.every import ABOUT
from tests.lying_relay.registry import LIES, Lie
from tests.lying_relay.relay import LyingRelay, lying_before
from tests.lying_relay.scene import Scene
from tools.embedded import EmbeddedRelay

NOT_BY_A_RELAY = {
    "RecoveryWordsInvalid",
    "ProfileMissing",
    "ProfileTaken",
    "ProfileUnsafe",
    "ProfileBroken",
}


@pytest.fixture(scope="module")
def liar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LyingRelay]:
    folder = tmp_path_factory.mktemp("relay")
    with EmbeddedRelay(folder, RELAY_RATE_LIMIT="off") as relay, lying_before(relay.url) as liar:
        yield liar


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
                assert type(caught.value) is lie.caught
                assert "canary" not in str(caught.value)
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


@contextmanager
def at_most(peak_bytes: int | None) -> Iterator[None]:
    """See that no more is allocated meanwhile, by anybody in this process."""
    if peak_bytes is None:
        yield
        return
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= peak_bytes


def test_every_error_that_a_relay_can_cause_has_a_lie() -> None:
    leaves, pending = set(), [errors.SyncRelayError]
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        if not kind.__subclasses__():
            leaves.add(kind.__name__)
    named = {lie.caught.__name__ for lie in LIES if lie.caught is not None}
    assert leaves - named == NOT_BY_A_RELAY
