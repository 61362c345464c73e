"""Keys that show nothing of themselves, rings that keep their order, padding that undoes itself and no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_relay_client import DeviceKey, VaultKey
from sync_relay_client.errors import MembershipInvalid
from sync_relay_client.keys import Keyring, seal_box
from sync_relay_client.padding import MIN_PADDED_BYTES, pad, padme, unpad
from sync_relay_client.profile.record import Secrets

FIRST, SECOND, THIRD = (VaultKey(bytes([number]) * 32) for number in range(3))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_vault_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        VaultKey(bytes(length))


def test_a_device_s_seed_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        DeviceKey.from_seed(bytes(31))


def test_keys_are_drawn_anew() -> None:
    assert VaultKey.generate() != VaultKey.generate()
    assert DeviceKey.generate().device_id != DeviceKey.generate().device_id


def test_keys_show_nothing_of_themselves() -> None:
    key, device = VaultKey(b"canary" * 5 + b"xx"), DeviceKey.from_seed(b"canary" * 5 + b"xx")
    secrets = Secrets(device, (key,), b"canary".ljust(32))
    assert "canary" not in repr(key) + str(key) + repr(device) + str(device) + repr(secrets)


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert len({FIRST.aead_key, FIRST.blind_key, FIRST.secret, SECOND.aead_key, SECOND.blind_key}) == 5


def test_a_blinded_name_differs_by_field_changeset_and_value() -> None:
    arguments = [("entity", "id", "x"), ("entity_id", "id", "x"), ("entity", "other", "x"), ("entity", "id", "y")]
    assert len({FIRST.blind(*each) for each in arguments}) == 4


def test_a_box_opens_for_its_device_only(alice: DeviceKey, bob: DeviceKey) -> None:
    box = seal_box(alice.public_key, b"text")
    assert alice.open_box(box) == b"text"
    for device, broken in ((bob, box), (alice, box[:-1]), (alice, box[:47]), (alice, b"")):
        with pytest.raises(ValueError, match="not sealed to this device"):
            device.open_box(broken)


def test_a_ring_takes_the_next_key() -> None:
    ring = Keyring((FIRST,)).rotate(SECOND)
    assert ring == Keyring((FIRST, SECOND), 1)
    assert ring.newest == SECOND
    assert (ring.is_older(FIRST), ring.is_older(SECOND)) == (True, False)


def test_a_ring_that_was_handed_out_is_ahead_of_the_history() -> None:
    ring = Keyring((FIRST, SECOND, THIRD))
    assert not any(ring.is_older(key) for key in ring.keys)
    assert ring.rotate(SECOND).rotate(None) == Keyring((FIRST, SECOND, THIRD), 2)


def test_a_ring_that_was_given_no_key_holds_old_ones_only() -> None:
    assert Keyring((FIRST,)).rotate(None).is_older(FIRST)


@pytest.mark.parametrize("key", [FIRST, THIRD])
def test_a_ring_refuses_a_key_that_is_not_the_next(key: VaultKey) -> None:
    with pytest.raises(MembershipInvalid):
        Keyring((FIRST, SECOND, THIRD)).rotate(key)


def test_a_ring_that_missed_a_key_does_not_take_a_later_one_for_it() -> None:
    with pytest.raises(MembershipInvalid):
        Keyring((FIRST,)).rotate(None).rotate(THIRD)


@given(st.binary(max_size=5000))
def test_padding_undoes_itself(content: bytes) -> None:
    assert unpad(pad(content)) == content


@given(st.integers(1, 2**40))
def test_padding_costs_an_eighth_at_most(length: int) -> None:
    padded = padme(length)
    assert length <= padded
    assert padded == MIN_PADDED_BYTES or padded <= length * 9 // 8
    assert padme(padded) == padded


@pytest.mark.parametrize(
    "padded",
    [b"", bytes(256), b"\x80", b"\x80" + bytes(254), b"\x80" + bytes(256), b"x" * 256, b"\x80" + bytes(254) + b"\x01"],
)
def test_padding_of_another_form(padded: bytes) -> None:
    with pytest.raises(ValueError, match="padded"):
        unpad(padded)
