"""Where each canary may be, and where a text's length: the whole list. Each of these places has to be seen, too."""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from tests.zk.canary import Canary

BETWEEN = "\n \n"

Found = set[tuple[str, str]]
"""The canary's name, and the place."""

PULLED = "GET /vaults/{id}/changesets 200.changesets[]"
IN_ANY_STORE: Found = {("nonce", f"{PULLED}.nonce"), ("ciphertext", f"{PULLED}.ciphertext")}
"""Its own field of an answer to a member."""
IN_SQLITE: Found = IN_ANY_STORE | {(name, "INSERT changesets.text") for name in ("nonce", "ciphertext")}
IN_AWS: Found = IN_ANY_STORE | {
    (name, place)
    for name in ("nonce", "ciphertext")
    for place in ("dynamodb PutItem.Item.r.L[].M.x.B", "s3 PutObject.Body")
}

IN_PARSERS: Found = {("refused", "exception JSONDecodeError.doc"), ("refused", "exception ValidationError.text")}
"""What json and pydantic raise repeats their input. The relay catches it where it is raised, and raises its own error
`from None`; it is seen only where exceptions are traced."""


def found_in(
    canaries: Iterable[Canary], passed: Iterable[tuple[str, object]], but: AbstractSet[str] = frozenset()
) -> Found:
    """Return which canary was seen where, in any way `but` these.

    What passed a place is put together, and looked through at once.
    """
    texts: dict[str, set[str]] = defaultdict(set)
    raw: dict[str, set[bytes]] = defaultdict(set)
    for place, value in passed:
        if isinstance(value, (bytes, bytearray, memoryview)):
            raw[place].add(bytes(value))
        elif isinstance(value, (str, int)):
            texts[place].add(str(value))
    heaps: list[tuple[str, str | bytes]] = [(place, BETWEEN.join(values)) for place, values in texts.items()]
    heaps += [(place, BETWEEN.encode().join(values)) for place, values in raw.items()]
    return {(canary.name, place) for place, heap in heaps for canary in canaries if set(canary.ways_in(heap)) - but}
