"""Pairing, revoking and coming back by the command line: who gets in, what is shown, and that no secret is."""

import json
import os
import stat
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from sync_relay_client import DeviceKey, read_request, request_code
from sync_relay_client.vault import Vault
from sync_relay_client.words import fingerprint, read_recovery_words
from tests.client.cli_world import OPTIONS, CommandLine
from tools.embedded import EmbeddedRelay


@pytest.fixture
def newcomer(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "newcomer")


def sheet_of(device: CommandLine) -> str:
    with Vault.open(device.folder, options=OPTIONS) as vault:
        return vault.recovery_words() or ""


def pairs_of(text: str) -> set[tuple[str, str]]:
    """Each two words that stand side by side: one word of a sheet may well be said in passing."""
    return set(pairwise(text.split()))


def test_a_request_is_the_same_each_time_and_pipes_as_it_is(newcomer: CommandLine) -> None:
    (shown,) = newcomer.json("request")
    result = newcomer("request")
    assert result.stdout == shown["request"] + "\n"
    assert shown["fingerprint"] == fingerprint(read_request(shown["request"]))
    assert shown["fingerprint"] in result.stderr
    assert newcomer("--quiet", "request").output == shown["request"] + "\n"


def test_nothing_is_drawn_where_no_terminal_is(laptop: CommandLine, newcomer: CommandLine) -> None:
    shown = newcomer("request")
    words = newcomer.json("request")[0]["fingerprint"]
    invited = laptop("invite", shown.stdout.strip(), "--yes", words)
    assert not {"█", "▀", "\x1b"} & set(shown.output + invited.output)


def test_an_invitation_pipes_as_it_is(laptop: CommandLine, newcomer: CommandLine) -> None:
    (shown,) = newcomer.json("request")
    invitation = laptop("invite", shown["request"], "--yes", shown["fingerprint"]).stdout
    assert len(invitation.splitlines()) == 1
    (joined,) = newcomer.json("join", invitation)
    assert joined["vault_id"] == laptop.json("status")[0]["vault_id"]
    assert joined["device_id"] == shown["device_id"]


def test_an_invitation_survives_how_it_was_copied(laptop: CommandLine, newcomer: CommandLine) -> None:
    (shown,) = newcomer.json("request")
    (invited,) = laptop.json("invite", f" {shown['request']}\n", "--yes", shown["fingerprint"].upper())
    code = invited["invitation"]
    newcomer("join", "-", typed="\n".join(code[place : place + 76] for place in range(0, len(code), 76)) + "\n\n")


def test_a_code_that_begins_as_an_option_does_is_a_code(laptop: CommandLine, newcomer: CommandLine) -> None:
    """One in 64 does."""
    key = next(key for key in iter(DeviceKey.generate, None) if request_code(key).startswith("-"))
    laptop("invite", request_code(key), "--yes", fingerprint(key.public_key))

    key = next(key for key in iter(DeviceKey.generate, None) if key.device_id.startswith("-"))
    laptop("invite", request_code(key), "--yes", fingerprint(key.public_key))
    laptop("revoke", key.device_id, "--yes")

    newcomer("request")
    assert "not for this device" in newcomer("join", "-" + "A" * 100, exits=1).stderr


def test_words_that_differ_admit_nobody(laptop: CommandLine, newcomer: CommandLine) -> None:
    (shown,) = newcomer.json("request")
    first, *rest = shown["fingerprint"].split()
    for words in (" ".join(rest), " ".join([*rest, first]), ""):
        assert "nobody was admitted" in laptop("invite", shown["request"], "--yes", words, exits=1).stderr
    assert shown["device_id"] not in {device["device_id"] for device in laptop.json("devices")}


def test_where_nobody_can_be_asked_the_words_must_be_given(laptop: CommandLine, newcomer: CommandLine) -> None:
    request = newcomer.json("request")[0]["request"]
    laptop("invite", request, typed="y\n", exits=2)
    newcomer("join", typed="code\n", exits=2)


def test_an_invitation_for_another_device_is_refused(
    laptop: CommandLine, newcomer: CommandLine, tmp_path: Path
) -> None:
    (shown,) = newcomer.json("request")
    invitation = laptop("invite", shown["request"], "--yes", shown["fingerprint"]).stdout
    other = CommandLine(tmp_path / "other")
    other("request")
    assert "InvitationInvalid" in other("join", invitation, exits=1).stderr


def test_what_is_no_request_is_refused(laptop: CommandLine) -> None:
    result = laptop("invite", "canary" * 8, "--yes", "a b c d e f", exits=1)
    assert "InvitationInvalid" in result.stderr
    assert "canary" not in result.output


def test_a_revoked_device_reads_nothing_that_comes_after(laptop: CommandLine, phone: CommandLine) -> None:
    laptop.push("before")
    assert phone.pulled() == ["before"]
    (this,) = phone.json("status")
    (revoked,) = laptop.json("revoke", this["device_id"][:10], "--yes")
    assert revoked == {"device_id": this["device_id"], "revoked": True}
    laptop.push("after")
    assert "device_revoked" in phone("pull", exits=4).stderr
    assert "before" in phone("export").stdout
    assert "after" not in phone("export").stdout
    gone = {device["device_id"]: device for device in laptop.json("devices")}[this["device_id"]]
    assert (gone["belongs"], gone["revoked_at"] is not None) == (False, True)


@pytest.mark.usefixtures("phone")
def test_a_beginning_that_several_ids_have_revokes_nobody(laptop: CommandLine) -> None:
    assert "Several" in laptop("revoke", "", "--yes", exits=1).stderr
    assert "No device" in laptop("revoke", "!", "--yes", exits=1).stderr
    assert all(device["belongs"] for device in laptop.json("devices"))


def test_a_device_does_not_revoke_itself(laptop: CommandLine) -> None:
    (this,) = laptop.json("status")
    assert "another one" in laptop("revoke", this["device_id"], "--yes", exits=1).stderr


def test_nobody_is_revoked_without_a_yes(laptop: CommandLine, phone: CommandLine) -> None:
    laptop("revoke", phone.json("status")[0]["device_id"], typed="y\n", exits=2)
    assert all(device["belongs"] for device in laptop.json("devices"))


def test_devices_show_the_words_that_pairing_showed(laptop: CommandLine, phone: CommandLine) -> None:
    (shown,) = phone.json("request")
    listed = {device["device_id"]: device for device in phone.json("devices")}
    assert listed[shown["device_id"]]["fingerprint"] == shown["fingerprint"]
    assert [device["device_id"] for device in listed.values() if device["is_this"]] == [shown["device_id"]]
    assert shown["fingerprint"] in laptop("devices").stdout


def test_the_sheet_goes_into_a_private_file_once(laptop: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "sheet.txt"
    words = sheet_of(laptop)
    result = laptop("sheet", "--output", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_recovery_words(file.read_text()) == read_recovery_words(words)
    assert not pairs_of(words) & pairs_of(result.output)
    assert "nothing to show" in laptop("sheet", "--output", str(tmp_path / "again"), exits=1).stderr


def test_a_file_that_is_there_is_not_made_a_sheet(laptop: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "sheet.txt"
    file.write_text("mine")
    laptop("sheet", "--output", str(file), exits=1)
    assert file.read_text() == "mine"
    assert sheet_of(laptop)


def test_the_words_go_into_no_pipe(embedded: EmbeddedRelay, newcomer: CommandLine) -> None:
    shown = newcomer("init", embedded.url).output + newcomer("sheet", exits=1).output
    words = sheet_of(newcomer)
    assert len(words.split()) == 24
    assert not pairs_of(words) & pairs_of(shown)
    assert "sync-relay sheet" in shown


def test_all_devices_are_lost_and_the_sheet_brings_the_vault_back(
    laptop: CommandLine, newcomer: CommandLine, embedded: EmbeddedRelay
) -> None:
    laptop.push("milk")
    words = sheet_of(laptop)
    numbered = "\n".join(f"{number}. {word.title()}" for number, word in enumerate(words.split(), 1))
    (recovered,) = newcomer.json("recover", embedded.url, typed=numbered)
    assert recovered["vault_id"] == laptop.json("status")[0]["vault_id"]
    assert newcomer.pulled() == ["milk"]


def test_a_mistyped_word_is_named_by_its_place(newcomer: CommandLine, embedded: EmbeddedRelay) -> None:
    words = ["abandon"] * 24
    words[6] = "canary"
    result = newcomer("recover", embedded.url, typed=" ".join(words), exits=1)
    assert "word 7" in result.stderr
    assert "canary" not in result.output


def test_the_sheet_s_file_is_on_the_disk_before_the_words_are_forgotten(
    laptop: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name, too: else a power cut takes the only copy of the words."""
    stick, known = tmp_path / "stick", []
    stick.mkdir()
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == stick.stat().st_ino:
            known.append(sheet_of(laptop))
        fsync(descriptor)

    words = sheet_of(laptop)
    monkeypatch.setattr(os, "fsync", watched)
    laptop("sheet", "--output", str(stick / "sheet.txt"))
    assert known == [words]


def test_without_recovery_there_is_no_sheet(newcomer: CommandLine, embedded: EmbeddedRelay) -> None:
    newcomer("init", embedded.url, "--no-recovery")
    assert sheet_of(newcomer) == ""


def test_a_vault_is_founded_with_the_operator_s_token_from_a_file(tmp_path: Path, newcomer: CommandLine) -> None:
    token = "canary-token-of-the-operator"
    file = tmp_path / "token"
    file.write_text(token + "\n")
    with EmbeddedRelay(tmp_path / "data", RELAY_VAULT_CREATION="token", RELAY_VAULT_TOKEN=token) as relay:
        assert "--token-file" in newcomer("init", relay.url, exits=4).stderr
        assert token not in newcomer("init", relay.url, "--token-file", str(file)).output


def test_a_folder_that_is_taken_is_not_founded_in(laptop: CommandLine, embedded: EmbeddedRelay) -> None:
    before = laptop.json("status")
    assert "--profile" in laptop("init", embedded.url, exits=7).stderr
    assert laptop.json("status") == before


def test_what_is_no_address_is_wrong_usage(newcomer: CommandLine) -> None:
    newcomer("init", "relay.example", exits=2)
    newcomer("init", "https://user:canary@relay.example", exits=2)
    assert not newcomer.folder.exists()


def test_an_erasure_whose_answer_was_lost_is_asked_for_again(laptop: CommandLine) -> None:
    class Cut(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            if request.method == "DELETE":
                answer.close()
                raise httpx.ReadError("cut", request=request)
            return answer

    (this,) = laptop.json("status")
    laptop.through(Cut())("erase", "--confirm", this["vault_id"], exits=3)
    laptop("erase", "--confirm", this["vault_id"])
    assert laptop.json("status")[0]["erased"]


def test_a_vault_is_erased_only_by_its_own_id(laptop: CommandLine, phone: CommandLine) -> None:
    laptop.push("milk")
    laptop.pulled()
    (this,) = laptop.json("status")
    for wrong in ("", this["vault_id"][:7], "00000000"):
        laptop("erase", "--confirm", wrong, exits=1)
    laptop("erase", typed=this["vault_id"][:8], exits=2)
    phone("pull")
    laptop("erase", "--confirm", this["vault_id"][:8])
    assert "unknown_device" in phone("pull", exits=4).stderr
    assert json.loads(laptop("export").stdout)["payload"] == "milk"
