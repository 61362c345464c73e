"""Every request as the relay will judge it: signed over all that §4 wants covered, below any base path."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from relay_protocol.errors import SignatureInvalid
from relay_protocol.requests import Announcement, Covers, Endorsement, Registration, parse, parse_push
from relay_protocol.signing import Claim, Message
from sync_relay_client import Change, DeviceKey, VaultSession, requests
from sync_relay_client.address import RelayAddress
from sync_relay_client.requests import Prepared, Request, prepare

NOW = 1_777_195_800
VAULT = "0b5f3c1e-8f0a-4d57-9d0c-3c6a1a5f2e77"
ID = "A" * 43
ADDRESSES = ["https://relay.example", "http://127.0.0.1:8787/", "https://h.example:443/prod", "http://[::1]:80/a/b"]


def announcement() -> Announcement:
    return Announcement(sha256=ID, size=5, key_id="k", schema_version=3, covers=Covers(seq=0, chain=ID))


def endorsement() -> Endorsement:
    return Endorsement(endorser=ID, expires_at=NOW, signature="A" * 86)


@pytest.fixture
def every(founder: VaultSession, change: Callable[..., Change]) -> dict[str, Request]:
    one, two = founder.seal(change(), 3), founder.seal(change(origin_user="zoë 💶"), 3, in_clear=True)
    key = founder.device.public_key
    return {
        "POST /devices found": requests.register(VAULT, key, creation_token="token"),
        "POST /devices join": requests.register(VAULT, key, endorsement()),
        f"GET /devices/{ID}": requests.device(ID),
        f"GET /vaults/{VAULT}/devices": requests.roster(VAULT),
        f"DELETE /vaults/{VAULT}/devices/{ID}": requests.revoke(VAULT, ID),
        f"GET /vaults/{VAULT}": requests.vault_info(VAULT),
        f"DELETE /vaults/{VAULT}": requests.erase(VAULT, bytes(32)),
        f"POST /vaults/{VAULT}/changesets one": requests.push(VAULT, [one]),
        f"POST /vaults/{VAULT}/changesets two": requests.push(VAULT, [one, two], if_match=bytes(32)),
        f"GET /vaults/{VAULT}/changesets": requests.pull(VAULT, 0),
        f"GET /vaults/{VAULT}/changesets limit": requests.pull(VAULT, 7, 100),
        f"POST /vaults/{VAULT}/snapshots": requests.announce(VAULT, announcement()),
        f"POST /vaults/{VAULT}/snapshots/{ID}/complete": requests.complete(VAULT, ID),
        f"GET /vaults/{VAULT}/snapshots/latest": requests.latest_snapshot(VAULT),
        f"GET /vaults/{VAULT}/snapshots/{ID}": requests.snapshot(VAULT, ID),
        f"GET /vaults/{VAULT}/snapshots": requests.snapshots(VAULT),
    }


def received(sent: Prepared) -> Message:
    """Return the request as the relay takes it off the wire."""
    url = urlsplit(sent.url)
    fields = {name.lower(): value for name, value in sent.headers.items()}
    return Message(sent.method, fields.pop("host"), url.path, parse_qsl(url.query), fields, sent.body)


def judge(message: Message, device: DeviceKey) -> None:
    claim = Claim.parse(message.fields)
    claim.check_rules(message)
    assert claim.device_id == device.device_id
    claim.verify(message, device.public_key, NOW, 300)


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_relay_s_own_checker_takes_every_request(every: dict[str, Request], alice: DeviceKey, address: str) -> None:
    parsed = RelayAddress.parse(address)
    for name, request in every.items():
        message = received(prepare(request, parsed, alice, NOW))
        judge(message, alice)
        assert (message.method, message.path) == (name.split()[0], parsed.base_path + name.split()[1])


def test_a_signature_is_good_for_one_relay_and_one_base_path(every: dict[str, Request], alice: DeviceKey) -> None:
    for request in every.values():
        sent = prepare(request, RelayAddress.parse("https://relay.example/prod"), alice, NOW)
        message = received(sent)
        for other in (
            Message(message.method, "other.example", message.path, message.query, message.fields, message.body),
            Message(message.method, message.authority, request.path, message.query, message.fields, message.body),
        ):
            with pytest.raises(SignatureInvalid):
                judge(other, alice)


def test_a_body_is_what_the_relay_parses(every: dict[str, Request], alice: DeviceKey) -> None:
    found = parse(Registration, every["POST /devices join"].body)
    assert (found.vault_id, found.endorsement) == (VAULT, endorsement())
    assert parse(Registration, every["POST /devices found"].body).endorsement is None
    assert parse(Announcement, every[f"POST /vaults/{VAULT}/snapshots"].body) == announcement()
    assert len(parse_push(every[f"POST /vaults/{VAULT}/changesets one"].body, 1)) == 1
    two = parse_push(every[f"POST /vaults/{VAULT}/changesets two"].body, 2)
    assert two[1].origin_user == "zoë 💶"
    assert two[0].origin_device == alice.device_id


def test_conditions_and_tokens_are_sent(every: dict[str, Request]) -> None:
    assert every[f"DELETE /vaults/{VAULT}"].headers["if-match"] == f'"{ID}"'
    assert every[f"POST /vaults/{VAULT}/changesets two"].headers["if-match"] == f'"{ID}"'
    assert "if-match" not in every[f"POST /vaults/{VAULT}/changesets one"].headers
    assert every["POST /devices found"].headers["authorization"] == "Bearer token"
    assert every[f"GET /vaults/{VAULT}/changesets limit"].query == (("since", "7"), ("limit", "100"))


def test_an_unsigned_request_carries_no_signature() -> None:
    for request in (requests.health(), requests.config()):
        assert prepare(request, RelayAddress.parse("https://h"), None, NOW).headers.keys() == {"host"}


def test_a_request_shows_no_token(every: dict[str, Request], alice: DeviceKey) -> None:
    sent = prepare(every["POST /devices found"], RelayAddress.parse("https://h"), alice, NOW)
    assert "token" not in repr(sent) + repr(every["POST /devices found"])


@pytest.mark.parametrize("text", ["", "a/b", VAULT.upper(), VAULT + "/x", "..", VAULT + "\n"])
def test_an_id_that_is_none_never_becomes_a_path(text: str) -> None:
    builders: list[Callable[[str], Any]] = [
        requests.roster,
        requests.vault_info,
        requests.snapshots,
        requests.device,
        lambda found: requests.revoke(VAULT, found),
        lambda found: requests.snapshot(VAULT, found),
        lambda found: requests.complete(VAULT, found),
    ]
    for build in builders:
        with pytest.raises(ValueError, match="not"):
            build(text)


@pytest.mark.parametrize(
    ("url", "authority", "base_path"),
    [
        ("https://Relay.Example", "relay.example", ""),
        ("https://relay.example:443/prod/", "relay.example", "/prod"),
        ("http://relay.example:443", "relay.example:443", ""),
        ("http://relay.example:80", "relay.example", ""),
        ("http://127.0.0.1:8787", "127.0.0.1:8787", ""),
        ("http://[::1]:8787/a/b.c", "[::1]:8787", "/a/b.c"),
        ("https://relay.example.:65535", "relay.example.:65535", ""),
    ],
)
def test_an_address_is_read(url: str, authority: str, base_path: str) -> None:
    address = RelayAddress.parse(url)
    assert (address.authority, address.base_path) == (authority, base_path)
    assert RelayAddress.parse(str(address)) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "relay.example",
        "ftp://relay.example",
        "https://",
        "https://user:secret@relay.example",
        "https://relay.example?x=1",
        "https://relay.example#x",
        "https://relay.example/../x",
        "https://relay.example//x",
        "https://relay.example/a b",
        "https://reläy.example",
        "https://relay.example:port",
        "https://relay.example\n",
        "https://relay..example",
        "https://.example",
        "https://.",
        f"https://{'a' * 64}.example",
        "https://" + "a." * 128,
        "https://[::::]",
        "https://[1.2.3.4]",
        "https://relay.example:65536",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="not a relay's address"):
        RelayAddress.parse(url)
