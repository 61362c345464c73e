"""A snapshot's size does not show in anyone's memory: sender, relay and taker."""

import sys
from pathlib import Path

import pytest

from bench.server import peak_mib
from bench.snapshot import carry, pair
from tests.e2e.conftest import StartRelay

SMALL_MIB, LARGE_MIB = 8, 64
SLACK_MIB = 4
"""What the allocator makes of the same work from one run to the next: under 1 in practice."""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is the kernel's own word")
@pytest.mark.parametrize("asynchronous", [False, True], ids=["Vault", "AsyncVault"])
def test_eight_times_the_content_takes_no_more_memory(
    start_relay: StartRelay, tmp_path: Path, *, asynchronous: bool
) -> None:
    relay, peaks = start_relay(RELAY_SERVICE_NAME="of this test alone"), []
    for mib in (SMALL_MIB, LARGE_MIB):
        sender, taker = pair(tmp_path / f"devices of {mib}", relay.url)
        sent = carry("send", sender, mib, asynchronous=asynchronous)
        taken = carry("take", taker, asynchronous=asynchronous)
        assert taken["bytes"] == mib * 1024 * 1024
        assert taken["sha256"] == sent["sha256"]
        served = max(map(peak_mib, relay.processes))
        peaks.append({"sender": sent["peak_mib"], "taker": taken["peak_mib"], "relay": served})
    small, large = peaks
    grown = {name: large[name] - small[name] for name in small}
    assert max(grown.values()) < SLACK_MIB, grown
