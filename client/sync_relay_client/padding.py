"""Padding to Padmé lengths (Nikitin et al., PETS 2019; §11 Pad): a sealed length tells its size to within 12 %."""

MIN_PADDED_BYTES = 256
_MARK = b"\x80"


def padme(length: int) -> int:
    """Return the padded length, in bytes, for content of `length` >= 1 bytes, the mark included."""
    exponent = length.bit_length() - 1
    free_bits = max(exponent - exponent.bit_length(), 0)
    mask = (1 << free_bits) - 1
    return max((length + mask) & ~mask, MIN_PADDED_BYTES)


def pad(content: bytes) -> bytes:
    """Append 0x80 and zeros up to the Padmé length."""
    marked = content + _MARK
    return marked.ljust(padme(len(marked)), b"\0")


def unpad(padded: bytes) -> bytes:
    """Undo `pad`. Raises ValueError unless the padding is exactly what `pad` writes."""
    marked = padded.rstrip(b"\0")
    if not marked.endswith(_MARK) or padme(len(marked)) != len(padded):
        raise ValueError("not padded as it has to be")
    return marked[:-1]
