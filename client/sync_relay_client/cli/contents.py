"""A snapshot's content as the commands find it: an archive, which is lines of JSON, or another application's bytes."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sync_relay_client.cli.json_lines import ArchiveLine, read_archive_line
from sync_relay_client.profile import Restored
from sync_relay_client.profile.private_file import replaced, sync_folder

FORMAT_LINE = b'{"format":"sync-relay/archive/v1"}\n'


def is_archive(restored: Restored) -> bool:
    """Whether all of the content is an archive."""
    with restored.open() as file:
        if file.readline(len(FORMAT_LINE)) != FORMAT_LINE:
            return False
    try:
        for _ in archive_lines(restored):
            pass
    except ValueError:
        return False
    return True


def archive_lines(restored: Restored) -> Iterator[tuple[ArchiveLine, str]]:
    """Yield the lines after the first, read and as they stand. Raises ValueError at one that is no archive's."""
    with restored.open() as file:
        file.readline()
        for text in file:
            yield read_archive_line(text), text.decode().removesuffix("\n")


def copy_content(restored: Restored, target: Path) -> Path:
    """Copy the content to a file that its owner alone can read, and see it on the disk; return the file.

    What was there is replaced once the whole of it is written.
    """
    with restored.open() as source, replaced(target) as file:
        shutil.copyfileobj(source, file)
    with suppress(OSError):  # not every file system can do that
        sync_folder(target.parent)
    return target
