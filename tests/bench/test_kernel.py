"""A cost that is told too low: processes, children and files that are not counted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.beside.kernel import TICKS_PER_SECOND, cpu_seconds, disk_bytes, resident_mib, ticks_in
from bench.beside.machine import file_system_of

STAT = "42 (a) name (x)) S 1 42 42 0 -1 4194560 500 900 0 0 {utime} {stime} {cutime} {cstime} 20 0 1 0 100 0 0"
SPIN = "import time\nwhile time.process_time() < {seconds}: pass\n"


def test_user_and_system_time_count_and_that_of_children_whatever_the_name_is() -> None:
    assert ticks_in(STAT.format(utime=1000, stime=200, cutime=30, cstime=4)) == 1234


def test_the_cpu_of_a_child_that_ended_is_its_parents() -> None:
    spinning = SPIN.format(seconds=0.2)
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {spinning!r}])\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert cpu_seconds([process.pid]) >= 0.2 - 2 / TICKS_PER_SECOND
        process.communicate(b"\n")


def test_several_processes_add_up() -> None:
    one = resident_mib([os.getpid()])
    assert one > 5
    assert resident_mib([os.getpid(), os.getpid()]) == pytest.approx(2 * one, rel=0.1)


def test_what_files_take_counts_below_folders_and_holes_do_not(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    with (tmp_path / "below" / "log").open("wb", buffering=0) as log:
        log.write(os.urandom(100_000))
        os.fsync(log.fileno())  # until then a file system may not have chosen the blocks
    with (tmp_path / "sparse").open("wb") as sparse:
        sparse.truncate(50_000_000)
    assert 100_000 <= disk_bytes(tmp_path) < 1_000_000


def test_the_file_system_is_the_nearest_mount_points(tmp_path: Path) -> None:
    mounts = (
        f"disk / ext4 rw 0 0\nmemory {tmp_path.resolve()} tmpfs rw 0 0\ndisk {tmp_path.resolve()}/other xfs rw 0 0\n"
    )
    assert file_system_of(tmp_path / "data", mounts) == "tmpfs"
