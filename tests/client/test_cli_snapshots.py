"""Snapshots by the command line: the archive comes back as it was, and other content as the file that it is."""

import errno
import json
import stat
from pathlib import Path

import pytest

from sync_relay_client.vault import Vault
from tests.client.cli_world import CommandLine
from tools.embedded import EmbeddedRelay


@pytest.fixture
def tablet(laptop: CommandLine, tmp_path: Path) -> CommandLine:
    """A device that joined, and has pulled nothing."""
    device = CommandLine(tmp_path / "tablet")
    laptop.invite(device)
    return device


def test_a_newcomer_that_begins_at_a_snapshot_has_the_same_archive(
    laptop: CommandLine, phone: CommandLine, tablet: CommandLine
) -> None:
    laptop.push("milk", "ünï")
    phone("push", "-", typed='{"entity": "e", "entity_id": "1", "payload_base64url": "_w"}')
    (made,) = laptop.json("snapshot", "create")
    (restored,) = tablet.json("snapshot", "restore")
    assert restored == {"restored": True, "head_seq": made["covers_seq"], "content": None}
    assert len(tablet("export").stdout.splitlines()) == 3
    assert tablet("export").stdout == laptop("export").stdout


def test_a_snapshot_s_archive_replaces_what_a_device_has(laptop: CommandLine, phone: CommandLine) -> None:
    laptop.push("milk")
    assert phone.pulled() == ["milk"]
    with Vault.open(phone.folder, options=phone.options) as vault, vault.outbox() as outbox:
        outbox.connection.execute("UPDATE archive SET id = 'of a log that a restored relay lost'")
    laptop.push("bread")
    laptop("snapshot", "create")
    phone("snapshot", "restore")
    assert phone("export").stdout == laptop("export").stdout


def test_what_was_not_printed_before_a_snapshot_is_printed_after_it(laptop: CommandLine, phone: CommandLine) -> None:
    laptop.push("milk")
    phone("snapshot", "create")
    laptop.push("bread")
    laptop("snapshot", "create")
    phone("snapshot", "restore")
    assert phone.pulled() == ["milk"]


def test_what_comes_after_a_snapshot_is_pulled_and_only_that_is_new(laptop: CommandLine, tablet: CommandLine) -> None:
    laptop.push("before")
    laptop("snapshot", "create")
    laptop.push("after")
    tablet("snapshot", "restore")
    assert tablet.pulled() == ["after"]
    assert [json.loads(line)["payload"] for line in tablet("export").stdout.splitlines()] == ["before", "after"]


def test_making_a_snapshot_takes_nothing_from_what_is_printed(laptop: CommandLine, phone: CommandLine) -> None:
    phone.push("milk")
    laptop("snapshot", "create")
    assert laptop.pulled() == ["milk"]


def test_a_large_archive_comes_back_whole(laptop: CommandLine, tablet: CommandLine) -> None:
    laptop.push(*(f"{number}" for number in range(2500)))
    laptop("snapshot", "create")
    tablet("snapshot", "restore")
    assert [json.loads(line)["payload"] for line in tablet("export").stdout.splitlines()] == [
        f"{number}" for number in range(2500)
    ]


@pytest.mark.parametrize(
    "content",
    [b"\x00\xffa database", b"", b'{"format":"sync-relay/archive/v1"}\nnot an archive\n', b'{"format":"other"}\n{}\n'],
    ids=["bytes", "empty", "almost an archive", "another format"],
)
def test_any_content_comes_back_as_a_private_file(
    laptop: CommandLine, tablet: CommandLine, tmp_path: Path, content: bytes
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(content)
    laptop("snapshot", "create", "--file", str(source))
    (restored,) = tablet.json("snapshot", "restore", "--output", str(target))
    assert restored["content"] == str(target)
    assert target.read_bytes() == content
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_content_that_could_not_be_written_is_kept_until_it_can(
    laptop: CommandLine, tablet: CommandLine, tmp_path: Path
) -> None:
    source, target = tmp_path / "source", tmp_path / "not there" / "target"
    source.write_bytes(b"content")
    laptop("snapshot", "create", "--file", str(source))
    result = tablet("snapshot", "restore", "--output", str(target), exits=1)
    assert "No such file or directory" in result.stderr
    target.parent.mkdir()
    tablet("snapshot", "restore", "--output", str(target))
    assert target.read_bytes() == b"content"


def test_a_file_that_was_there_is_replaced_only_by_a_whole_one(
    laptop: CommandLine, tablet: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_the_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = tmp_path / "elsewhere"
    folder.mkdir()
    source, target = tmp_path / "source", folder / "ledger"
    source.write_bytes(b"content")
    target.write_bytes(b"what was there")
    laptop("snapshot", "create", "--file", str(source))
    with monkeypatch.context() as patched:
        patched.setattr("shutil.copyfileobj", fill_the_disk)
        assert "No space" in tablet("snapshot", "restore", "--output", str(target), exits=1).stderr
    assert [path.read_bytes() for path in folder.iterdir()] == [b"what was there"]
    tablet("snapshot", "restore", "--output", str(target))
    assert [path.read_bytes() for path in folder.iterdir()] == [b"content"]


def test_other_content_without_a_place_is_kept_with_the_profile(
    laptop: CommandLine, tablet: CommandLine, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    laptop("snapshot", "create", "--file", str(source))
    (restored,) = tablet.json("snapshot", "restore")
    assert Path(restored["content"]).parent == tablet.folder
    assert Path(restored["content"]).read_bytes() == b"content"


def test_an_archive_can_be_had_as_a_file_too(laptop: CommandLine, tablet: CommandLine, tmp_path: Path) -> None:
    laptop.push("milk")
    laptop("snapshot", "create")
    tablet("snapshot", "restore", "--output", str(tmp_path / "archive"))
    first, *lines = (tmp_path / "archive").read_text().splitlines(keepends=True)
    assert json.loads(first) == {"format": "sync-relay/archive/v1"}
    assert "".join(lines) == laptop("export").stdout == tablet("export").stdout


def test_a_device_that_is_as_far_changes_nothing(laptop: CommandLine) -> None:
    laptop.push("milk")
    assert laptop.json("snapshot", "restore")[0]["restored"] is False
    laptop("snapshot", "create")
    assert laptop.json("snapshot", "restore")[0]["restored"] is False
    assert laptop.pulled() == ["milk"]


def test_where_history_was_pruned_a_pull_goes_on_from_the_snapshot(tmp_path: Path) -> None:
    laptop, tablet = CommandLine(tmp_path / "laptop"), CommandLine(tmp_path / "tablet")
    with EmbeddedRelay(tmp_path / "data", RELAY_CHANGESET_DAYS="0", RELAY_RATE_LIMIT="off") as relay:
        laptop("init", relay.url)
        laptop.invite(tablet)
        laptop.push("before")
        laptop("snapshot", "create")
        laptop.push("after")
        relay.maintain()
        assert tablet.pulled() == ["after"]
    assert "before" in tablet("export").stdout


def test_others_may_push_while_a_snapshot_is_made(
    laptop: CommandLine, phone: CommandLine, tablet: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, pushes = Vault.sync, iter(["while it is made", "and again"])

    def sync_and_let_another_push(vault: Vault) -> object:
        synced = sync(vault)
        for payload in pushes:
            phone.push(payload)
            break
        return synced

    monkeypatch.setattr(Vault, "sync", sync_and_let_another_push)
    laptop("snapshot", "create")
    monkeypatch.undo()
    tablet("snapshot", "restore")
    assert len(tablet("export").stdout.splitlines()) == 2
