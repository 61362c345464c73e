"""Words that people copy: the sheet forgives how it was typed, never what; the fingerprint tells keys apart."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_relay_client import DeviceKey
from sync_relay_client.errors import RecoveryWordsInvalid
from sync_relay_client.words import fingerprint, read_recovery_words, recovery_words, split_words

ENTROPY = bytes.fromhex("68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c")
WORDS = (
    "hamster diagram private dutch cause delay private meat slide toddler razor book "
    "happy fancy gospel tennis maple dilemma loan word shrug inflict delay length"
)
"""One of BIP39's own test vectors."""


def test_the_words_are_those_of_bip39() -> None:
    assert recovery_words(ENTROPY) == WORDS
    assert read_recovery_words(WORDS) == ENTROPY


@given(st.binary(min_size=32, max_size=32))
def test_every_sheet_can_be_read_back(entropy: bytes) -> None:
    assert read_recovery_words(recovery_words(entropy)) == entropy


@pytest.mark.parametrize(
    "typed",
    [
        WORDS.upper(),
        WORDS.title(),
        "  " + WORDS.replace(" ", "\r\n\t ") + "\n",
        "\n".join(f"{number}. {word}" for number, word in enumerate(WORDS.split(), 1)),
        "\n".join(f"{number:2}) {word}" for number, word in enumerate(WORDS.split(), 1)),
        " ".join(f"{number}.{word}" for number, word in enumerate(WORDS.split(), 1)),
        " ".join(f"{number} {word}" for number, word in enumerate(WORDS.split(), 1)),
    ],
    ids=["capitals", "titles", "lines", "numbered", "bracketed", "close", "bare numbers"],
)
def test_a_sheet_may_be_typed_as_people_type(typed: str) -> None:
    assert read_recovery_words(typed) == ENTROPY


def test_a_wrong_word_is_named_by_its_place_and_never_repeated() -> None:
    words = WORDS.split()
    words[4] = "canary-word"
    with pytest.raises(RecoveryWordsInvalid, match="word 5 ") as caught:
        read_recovery_words(" ".join(words))
    assert caught.value.position == 5
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_swapped_words_are_refused() -> None:
    first, second, *rest = WORDS.split()
    with pytest.raises(RecoveryWordsInvalid, match="swapped or misread") as caught:
        read_recovery_words(" ".join([second, first, *rest]))
    assert caught.value.position is None


@pytest.mark.parametrize("count", [0, 12, 23, 25])
def test_a_sheet_has_24_words(count: int) -> None:
    with pytest.raises(RecoveryWordsInvalid, match=f"these are {count}"):
        read_recovery_words(" ".join([*WORDS.split(), "length"][:count]))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_sheet_holds_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        recovery_words(bytes(length))


def test_two_clients_show_the_same_fingerprint_of_a_key() -> None:
    assert fingerprint(bytes(range(32))) == "viable divert endorse daring joy ceiling"


def test_every_bit_of_a_key_counts_in_its_fingerprint() -> None:
    key = secrets.token_bytes(32)
    flipped = [(int.from_bytes(key, "big") ^ 1 << bit).to_bytes(32, "big") for bit in range(256)]
    assert len({fingerprint(each) for each in (key, *flipped)}) == 257


def test_all_six_words_tell_keys_apart() -> None:
    shown = [fingerprint(DeviceKey.from_seed(bytes([number]) * 32).public_key).split() for number in range(64)]
    assert {len(words) for words in shown} == {6}
    assert all(len({words[place] for words in shown}) > 32 for place in range(6))


def test_a_typed_fingerprint_is_split_like_a_sheet() -> None:
    assert split_words(" 1. Abandon\n2. ABILITY ") == ["abandon", "ability"]
