"""A log that holds what a device wrote as it was revoked: each way into the vault asks, once, and goes on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from sync_relay_client import Change, Options, Vault
from sync_relay_client.cli.failures import EXIT_TAMPERED
from sync_relay_client.errors import RotatedOut
from tests.client.cli_world import CommandLine
from tests.e2e.conftest import StartRelay
from tools.embedded import EmbeddedRelay

OPTIONS = Options(keyring="file")
NOTE = Change("ana", "2026-04-26T09:30:04Z", "upsert", "note", "1", b"milk")
TOO_LATE_SEQ = 5
"""After the laptop's admit by the sheet, the phone's admit, a note, and the rekey."""


class Interrupting(httpx.HTTPTransport):
    """Does something else just before a device is revoked at the relay."""

    def __init__(self, before_revoking: Callable[[], object]) -> None:
        super().__init__()
        self._before_revoking = before_revoking

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            self._before_revoking()
        return super().handle_request(request)


@pytest.fixture
def relay(start_relay: StartRelay) -> EmbeddedRelay:
    return start_relay()


class Pair:
    """A laptop, and a phone that it revokes while the phone writes something."""

    def __init__(self, stack: ExitStack, folder: Path, url: str) -> None:
        self._folder = folder
        self.laptop = stack.enter_context(Vault.create(folder / "laptop", url, options=OPTIONS))
        invitation = self.laptop.invite(Vault.request(folder / "phone", options=OPTIONS))
        self.phone = stack.enter_context(Vault.join(folder / "phone", invitation, options=OPTIONS))
        self.laptop.push(NOTE)
        self.laptop.sync()

    def revoke(self) -> None:
        options = Options(keyring="file", transport=Interrupting(lambda: self.phone.push(NOTE)))
        with Vault.open(self._folder / "laptop", options=options) as laptop:
            laptop.revoke(self.phone.device_id)

    def pass_over(self) -> list[int]:
        """Leave out what the phone wrote; return the seqs that had to be asked about."""
        asked: list[int] = []
        while True:
            try:
                self.laptop.pull()
            except RotatedOut as error:
                asked.append(error.seq or 0)
                self.laptop.pass_over(asked[-1])
            else:
                return asked


@pytest.fixture
def pair(relay: EmbeddedRelay, tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        yield Pair(stack, tmp_path, relay.url)


def test_a_recovery_sheet_brings_the_vault_back(pair: Pair, relay: EmbeddedRelay, tmp_path: Path) -> None:
    pair.revoke()
    assert pair.pass_over() == [TOO_LATE_SEQ]
    words = pair.laptop.recovery_words()
    assert words is not None
    with pytest.raises(RotatedOut) as refused:
        Vault.recover(tmp_path / "found", relay.url, words, options=OPTIONS)
    assert refused.value.seq == TOO_LATE_SEQ
    with Vault.recover(tmp_path / "found", relay.url, words, pass_over=[TOO_LATE_SEQ], options=OPTIONS) as found:
        found.sync()
        assert found.head == pair.laptop.pull().head
        with found.inbox() as inbox:
            assert [opened.change for opened in inbox] == [NOTE]


def test_the_command_brings_it_back_too(pair: Pair, relay: EmbeddedRelay, tmp_path: Path) -> None:
    pair.revoke()
    pair.pass_over()
    found, words = CommandLine(tmp_path / "found"), pair.laptop.recovery_words()
    refused = found("recover", relay.url, typed=words, exits=EXIT_TAMPERED)
    assert f"--pass-over {TOO_LATE_SEQ}" in refused.stderr
    found("recover", relay.url, "--pass-over", str(TOO_LATE_SEQ), typed=words)
    assert found.pulled() == ["milk"]


def test_a_restored_relay_is_accepted_without_asking_again(pair: Pair, relay: EmbeddedRelay) -> None:
    pair.revoke()
    assert pair.pass_over() == [TOO_LATE_SEQ]
    relay.stop()
    relay.new_epoch()
    relay.start()
    assert pair.laptop.accept_epoch().lost_changesets == 0
    assert pair.laptop.pull().head.seq == TOO_LATE_SEQ


def test_consent_does_not_outlive_the_log_that_it_was_given_for(pair: Pair, relay: EmbeddedRelay) -> None:
    relay.stop()
    restore = relay.holdings.back_up()
    relay.start()
    pair.revoke()
    assert pair.pass_over() == [TOO_LATE_SEQ]

    relay.stop()
    restore()
    relay.new_epoch()
    relay.start()
    assert pair.laptop.accept_epoch().lost_changesets == 2
    pair.phone.accept_epoch()
    pair.revoke()
    assert TOO_LATE_SEQ in pair.pass_over(), "it is another changeset now"
