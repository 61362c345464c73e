"""A server that is told to be durable because it syncs some time: what strace saw has to be before the answer."""

import pytest

from bench.beside.traced import Durability, durability

SPANS = [(10.0, 10.5), (11.0, 11.5)]


@pytest.mark.parametrize(
    ("log", "syncs", "before"),
    [
        pytest.param(
            "7 10.100000 fsync(3) = 0 <0.010000>\n7  11.1 fdatasync(3)   = 0 <0.2>\n", 1.0, 1.0, id="each in time"
        ),
        pytest.param("7 10.100000 fsync(3) = 0 <0.010000>\n7 11.6 fdatasync(3) = 0 <0.2>\n", 0.5, 0.5, id="one after"),
        pytest.param(
            "7 10.4 fsync(3) = 0 <0.2>\n7 11.4 fsync(3) = 0 <0.2>\n", 0.5, 0.0, id="begun in time, ended after"
        ),
        pytest.param("7 9.9 fsync(3) = 0 <0.2>\n", 0.0, 0.0, id="begun before"),
        pytest.param("7 10.1 fsync(3) = -1 EIO (Input/output error) <0.2>\n", 0.0, 0.0, id="failed"),
        pytest.param("7 10.1 +++ exited with 0 +++\n", 0.0, 0.0, id="none"),
        pytest.param(
            "7 10.1 fsync(3 <unfinished ...>\n8 10.2 +++ exited with 0 +++\n7 10.4 <... fsync resumed>) = 0 <0.3>\n",
            0.5,
            0.5,
            id="resumed in time",
        ),
        pytest.param("7 10.6 <... fsync resumed>) = 0 <0.3>\n", 0.5, 0.0, id="resumed after"),
        pytest.param("7 10.1 fsync(3) = 0 <0.1>\n8 10.2 fsync(4) = 0 <0.1>\n", 1.0, 0.5, id="two for one push"),
    ],
)
def test_a_push_is_durable_if_a_sync_began_and_ended_before_its_answer(log: str, syncs: float, before: float) -> None:
    assert durability(SPANS, (0.0, 0.0), 1, log) == Durability(2, syncs, before, 0.0)


def test_pushes_at_once_that_share_a_sync_are_told_to() -> None:
    log = "7 20.1 fdatasync(3) = 0 <0.1>\n7 20.3 fdatasync(3) = 0 <0.1>\n7 20.9 fdatasync(3) = 0 <0.2>\n"
    assert durability(SPANS, (20.0, 21.0), 10, log).syncs_per_push_together == 0.2
