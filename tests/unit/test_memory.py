"""The server's allocator is told to keep little, where it is one that can be told."""

import ctypes
import platform
from types import SimpleNamespace

import pytest

from local.memory import ARENAS, KEPT_BYTES, keep_little


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="not glibc")
def test_glibc_takes_all() -> None:
    assert keep_little()


@pytest.mark.parametrize("refused", [-1, -3, -8, None])
def test_who_refuses_one_of_them_is_told_of_as_such(refused: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[int, int] = {}

    def mallopt(option: int, value: int) -> int:
        told[option] = value
        return int(option != refused)

    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(mallopt=mallopt))
    assert keep_little() is (refused is None)
    if refused is None:
        assert told == {-8: ARENAS, -3: KEPT_BYTES, -1: KEPT_BYTES}


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    assert not keep_little()
