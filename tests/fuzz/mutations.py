"""Inputs by mutation, the same in every run: what the default test run takes instead of a coverage-guided fuzzer."""

from collections.abc import Iterator, Sequence
from random import Random

from tests.fuzz.target import Target

NUMBERS = (
    b"-1",
    b"0",
    b"1",
    b"255",
    b"65536",
    b"2147483648",
    b"9223372036854775807",
    b"99999999999999999999",
    b"1e999",
)
AWKWARD = (
    b"\0",
    b"\r\n",
    b"\n",
    b" ",
    b"\t",
    b'"',
    b"\\",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xc3\xa9",
    b"%00",
    b"%ff",
    b"{",
    b"[",
)
MAX_BYTES = 20_000


def mutated(target: Target, corpus: Sequence[bytes], count: int) -> Iterator[bytes]:
    """Yield `count` inputs, each a seed or one of `corpus` that was changed in one to four places."""
    seeds = sorted({*target.seeds(), *corpus})
    for number in range(count):
        random = Random(f"{target.name} {number}")
        data = bytearray(random.choice(seeds))
        for _ in range(random.randint(1, 4)):
            _mutate(data, random, seeds, [*target.words, *NUMBERS, *AWKWARD])
        yield bytes(data[:MAX_BYTES])


def _mutate(data: bytearray, random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    start = random.randint(0, len(data))
    end = min(len(data), start + random.choice((1, 1, 2, 4, 16, 64)))
    match random.randrange(8):
        case 0:
            del data[start:end]
        case 1:
            data[start:start] = data[start:end] * random.choice((1, 1, 1, 50))
        case 2:
            data[start:end] = random.choice(words)
        case 3:
            data[start:start] = random.choice(words)
        case 4 if start < len(data):
            data[start] ^= 1 << random.randrange(8)
        case 5:
            data[start:end] = random.randbytes(end - start)
        case 6:
            other = random.choice(seeds)
            cut = random.randint(0, len(other))
            data[start:] = other[cut:]
        case _:
            _swap_lines(data, random)


def _swap_lines(data: bytearray, random: Random) -> None:
    lines = bytes(data).split(b"\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    data[:] = b"\n".join(lines)
