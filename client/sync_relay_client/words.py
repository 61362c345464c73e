"""What people write down or read aloud: the recovery sheet, and a key's fingerprint, in words of BIP39's English list.

The list and the checksum are the library `mnemonic`'s: https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki
"""

import re
from functools import cache
from hashlib import sha256

from mnemonic import Mnemonic

from relay_protocol.encoding import pae
from sync_relay_client.errors import RecoveryWordsInvalid

ENTROPY_BYTES = 32
RECOVERY_WORDS = 24
FINGERPRINT_WORDS = 6

_BITS_PER_WORD = 11
_NUMBER_BEFORE = re.compile(r"\d+[.):]?")


def recovery_words(entropy: bytes) -> str:
    """Return 32 bytes as the 24 words of a recovery sheet. Raises ValueError for another length."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError("a recovery sheet holds 32 bytes")
    return _english().to_mnemonic(entropy)


def read_recovery_words(text: str) -> bytes:
    """Return the 32 bytes of a recovery sheet, however its words are spaced, broken into lines, cased or numbered.

    Raises RecoveryWordsInvalid, which names a wrong word's place and never the word.
    """
    words = split_words(text)
    if len(words) != RECOVERY_WORDS:
        raise RecoveryWordsInvalid(f"a recovery sheet has {RECOVERY_WORDS} words, these are {len(words)}")
    unknown = next((place for place, word in enumerate(words, 1) if word not in _english().wordlist), None)
    if unknown is not None:
        raise RecoveryWordsInvalid(f"word {unknown} is not in the list of words", unknown)
    try:
        return bytes(_english().to_entropy(words))
    except ValueError:
        raise RecoveryWordsInvalid("each word is in the list, but a word was swapped or misread") from None


def fingerprint(public_key: bytes) -> str:
    """Return the six words that two people compare aloud before a device is admitted.

    They are the first 66 bits of SHA-256(PAE("sync-relay/fingerprint/v1", public key)). Whoever wants to be admitted
    in place of another must show a key of their own with the same words: a second preimage, not a collision, since the
    honest device's key is not theirs to choose. That takes about 2^66 key pairs while two people wait: out of
    reach. A seventh word would only be skipped by those who compare.
    """
    bits = int.from_bytes(sha256(pae("sync-relay/fingerprint/v1", public_key)).digest(), "big")
    shifts = range(256 - _BITS_PER_WORD, 256 - _BITS_PER_WORD * (FINGERPRINT_WORDS + 1), -_BITS_PER_WORD)
    return " ".join(_english().wordlist[bits >> shift & 0x7FF] for shift in shifts)


def split_words(text: str) -> list[str]:
    """Return the words of a text in lower case, without what numbers them ("1. abandon", "2) ability")."""
    return [word for piece in text.lower().split() if (word := _NUMBER_BEFORE.sub("", piece, count=1))]


@cache
def _english() -> Mnemonic:
    return Mnemonic("english")
