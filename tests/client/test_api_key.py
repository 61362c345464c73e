"""The API key that a relay's gateway asks for: given once, kept in the profile, sent to the relay alone."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from sync_relay_client import AsyncVault, DeviceKey, Options, RelayClient, Vault
from sync_relay_client.errors import ProfileBroken, ProfileUnsafe, RelayRefused
from sync_relay_client.profile.api_key import FILE
from tests.client.app import change_of, pair, write
from tests.client.cli_world import CommandLine
from tests.client.relay_in_process import URL, RelayInProcess

API_KEY = "canary-of-the-api-key"
REFUSAL = {"type": "about:blank", "title": "An API key is required", "status": 403, "code": "api_key_required"}


class Gateway(RelayInProcess):
    """A relay behind an API Gateway that wants a key; blobs lie elsewhere. It notes who was given which key."""

    def __init__(self, wanted: str = API_KEY) -> None:
        super().__init__()
        self.wanted = wanted
        self.given: list[tuple[str, str | None]] = []
        self.meddle = self._judge

    def _judge(self, request: httpx.Request, answer: Callable[[httpx.Request], httpx.Response]) -> httpx.Response:
        api_key, is_blob = request.headers.get("x-api-key"), request.url.path.startswith("/blobs/")
        self.given.append(("blob" if is_blob else "relay", api_key))
        if not is_blob and api_key != self.wanted:
            return httpx.Response(403, headers={"content-type": "application/problem+json"}, json=REFUSAL)
        return answer(request)


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def folder(tmp_path: Path, gateway: Gateway) -> Path:
    """A profile whose vault was founded with the key."""
    Vault.create(tmp_path / "laptop", URL, options=gateway.options(api_key=API_KEY)).close()
    return tmp_path / "laptop"


def test_without_the_key_the_gateway_refuses(tmp_path: Path, gateway: Gateway) -> None:
    with pytest.raises(RelayRefused) as refused:
        Vault.create(tmp_path / "laptop", URL, options=gateway.options())
    assert (refused.value.status, refused.value.code) == (403, "api_key_required")


def test_the_key_is_given_once_and_then_sent_with_every_request(folder: Path, gateway: Gateway) -> None:
    with Vault.open(folder, options=gateway.options()) as laptop:
        laptop.push(change_of(b"a change"))
        with pair(laptop, folder.parent / "phone", gateway.options(api_key=API_KEY)) as phone:
            phone.sync()
    assert {api_key for _, api_key in gateway.given} == {API_KEY}


def test_the_store_of_blobs_is_not_given_the_key(folder: Path, gateway: Gateway) -> None:
    with Vault.open(folder, options=gateway.options()) as laptop:
        laptop.pull()
        laptop.snapshot(write)
    assert {api_key for where, api_key in gateway.given if where == "blob"} == {None}


def test_a_key_that_was_changed_takes_the_old_ones_place(folder: Path, gateway: Gateway) -> None:
    gateway.wanted = "another"
    with Vault.open(folder, options=gateway.options()) as laptop, pytest.raises(RelayRefused):
        laptop.pull()
    with Vault.open(folder, options=gateway.options(api_key="another")) as laptop:
        laptop.pull()
    with Vault.open(folder, options=gateway.options()) as laptop:
        laptop.pull()


def test_an_async_vault_sends_it_too(folder: Path, gateway: Gateway) -> None:
    async def pull() -> None:
        vault = await AsyncVault.open(folder, options=gateway.options())
        await vault.pull()
        await vault.close()

    asyncio.run(pull())


def test_a_client_of_one_relay_sends_it_too(gateway: Gateway) -> None:
    transport = gateway.options().transport
    with RelayClient(URL, DeviceKey.generate(), transport=transport, api_key=API_KEY) as client:
        client.config()


def test_the_profile_holds_it_sealed_and_for_its_owner_alone(folder: Path, gateway: Gateway) -> None:
    held = [path for path in folder.rglob("*") if path.is_file() and API_KEY.encode() in path.read_bytes()]
    assert held == []
    assert (folder / FILE).stat().st_mode & 0o077 == 0
    assert API_KEY not in repr(gateway.options(api_key=API_KEY))
    (folder / FILE).chmod(0o644)
    with pytest.raises(ProfileUnsafe):
        Vault.open(folder, options=gateway.options())


@pytest.mark.parametrize("content", [b"", b"x" * 100])
def test_a_file_that_is_not_what_was_written_is_told(folder: Path, gateway: Gateway, content: bytes) -> None:
    (folder / FILE).write_bytes(content)
    with pytest.raises(ProfileBroken, match="give the API key once more"):
        Vault.open(folder, options=gateway.options())
    Vault.open(folder, options=gateway.options(api_key=API_KEY)).close()


@pytest.mark.parametrize("api_key", ["", "two words", "a\r\nhost: elsewhere", "ü", "x" * 513])
def test_what_can_be_no_header_field_is_no_key(api_key: str) -> None:
    with pytest.raises(ValueError, match="an API key is") as refused:
        Options(api_key=api_key)
    assert api_key == "" or api_key not in str(refused.value)


def test_the_command_takes_it_from_a_file_and_shows_it_nowhere(tmp_path: Path, gateway: Gateway) -> None:
    laptop, file = CommandLine(tmp_path / "laptop", gateway.options()), tmp_path / "relay.key"
    file.write_text(API_KEY + "\n")
    assert "--api-key-file" in laptop("init", URL, exits=4).stderr
    assert API_KEY not in laptop("init", URL, "--api-key-file", str(file)).output
    laptop.push("a change")
    found = laptop.json("doctor")
    assert {"relay", "limits", "vault"} <= {one["subject"] for one in found if one["state"] == "ok"}
    assert {api_key for _, api_key in gateway.given[-3:]} == {API_KEY}


def test_a_file_without_a_key_is_wrong_usage(tmp_path: Path, gateway: Gateway) -> None:
    file = tmp_path / "relay.key"
    file.write_text("\n")
    laptop = CommandLine(tmp_path / "laptop", gateway.options())
    assert "an API key is" in laptop("init", URL, "--api-key-file", str(file), exits=2).stderr
