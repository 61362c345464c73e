"""Everything the relay could do wrong is seen and named, over real HTTP, and changes nothing that the device holds."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync_relay_client import errors
from tests.client.crash import dump
from tests.client.relay_in_process import Backup, RelayInProcess
from tests.e2e import tampers_of_answers, tampers_of_snapshots
from tests.e2e.tampering import CheatingRelay, cheating
from tests.e2e.tampers import TAMPERS, Scene, Trap

pytestmark = pytest.mark.not_as_built("the relay that lies is one in front of the handlers")

MORE_TAMPERS = (tampers_of_answers, tampers_of_snapshots)
"""They note theirs when they are imported."""
NOT_BY_A_RELAY = {
    "ChangeTooLarge",
    "NotCaughtUp",
    "RecoveryWordsInvalid",
    "ProfileMissing",
    "ProfileTaken",
    "ProfileUnsafe",
    "ProfileBroken",
    "ProfileUnavailable",
}


@pytest.fixture(scope="module")
def cheat() -> Iterator[CheatingRelay]:
    with cheating(RelayInProcess()) as cheat:
        yield cheat


@pytest.fixture(scope="module")
def prepared(cheat: CheatingRelay, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Backup]:
    """The two devices, and what the relay holds of them."""
    folder = tmp_path_factory.mktemp("prepared")
    Scene.prepare(cheat, folder)
    return folder, cheat.relay.backup()


@pytest.fixture
def scene(cheat: CheatingRelay, prepared: tuple[Path, Backup], home: Path) -> Iterator[Scene]:
    folder, backup = prepared
    shutil.copytree(folder, home, dirs_exist_ok=True)
    cheat.relay.restore(backup)
    cheat.be_honest()
    scene = Scene(cheat, home)
    yield scene
    scene.close()


@pytest.mark.parametrize(("error", "tamper"), [pytest.param(error, one, id=name) for name, error, one in TAMPERS])
def test_a_tamper_is_named_and_changes_nothing(
    scene: Scene, error: type[errors.SyncRelayError], tamper: Callable[[Scene], Trap]
) -> None:
    trap = tamper(scene)
    before = {folder.name: dump(folder) for folder in scene.home.iterdir()}
    with pytest.raises(errors.SyncRelayError) as caught:
        trap()
    assert type(caught.value) is error
    assert {folder.name: dump(folder) for folder in scene.home.iterdir()} == before
    assert not [path for path in scene.home.glob("*/spool/*") if path.name.startswith(("download", "restored"))]
    assert "canary" not in str(caught.value)


def test_every_error_that_a_relay_can_cause_has_a_tamper() -> None:
    leaves, pending = set(), [errors.SyncRelayError]
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        if not kind.__subclasses__():
            leaves.add(kind.__name__)
    named = {error.__name__ for _, error, _ in TAMPERS}
    assert leaves - named == NOT_BY_A_RELAY
