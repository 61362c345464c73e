"""An asynchronous vault has a transport of its own: what bounds an answer has to hold there, too."""

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from sync_relay_client import AsyncVault, Options, errors
from tests.client.crash import dump
from tests.lying_relay.every import ABOUT
from tests.lying_relay.memory import at_most
from tests.lying_relay.registry import Lie
from tests.lying_relay.relay import LyingRelay
from tests.lying_relay.scene import OPTIONS, Scene

BOUNDED = [
    lie
    for lie in ABOUT["HTTP"]
    if lie.caught is not None and (lie.peak_bytes or lie.timeout_seconds or "redirect" in lie.name)
]


async def pull(folder: Path, options: Options) -> int:
    async with await AsyncVault.open(folder, options=options) as vault:
        return (await vault.pull()).changes


@pytest.mark.parametrize("lie", [pytest.param(lie, id=lie.name) for lie in BOUNDED])
def test_a_lie_by_http_is_named_and_the_next_pull_goes_on(liar: LyingRelay, home: Path, lie: Lie) -> None:
    scene = Scene(liar, home)
    try:
        lie.lay(scene)
        before = dump(home / "victim")
        options = replace(OPTIONS, async_transport=httpx.AsyncHTTPTransport(verify=False))
        options = replace(options, timeout_seconds=lie.timeout_seconds or options.timeout_seconds)
        with at_most(lie.peak_bytes), pytest.raises(errors.SyncRelayError) as caught:
            asyncio.run(pull(home / "victim", options))
        assert type(caught.value) is lie.caught
        assert dump(home / "victim") == before
        assert (liar.elsewhere, liar.mistakes) == ([], [])
        liar.be_honest()
        options = replace(OPTIONS, async_transport=httpx.AsyncHTTPTransport(verify=False))
        assert asyncio.run(pull(home / "victim", options)) == 1
    finally:
        scene.close()
