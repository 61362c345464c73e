"""What the relay's modules still hold once all requests are answered: caches, globals, closures, defaults."""

import gc
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from types import CellType, FunctionType, MappingProxyType, MethodType

OURS = frozenset({"relay", "relay_protocol", "functions", "local"})
KEEPERS = frozenset({"_thread", "functools"})
"""Modules of locals of threads, and of caches."""
CONTAINERS = (dict, list, tuple, set, frozenset, deque, MappingProxyType, CellType)


def held(*also: object) -> Iterator[tuple[str, object]]:
    """Yield each text, bytes and number that can be reached from the relay's modules, and from these objects."""
    waiting: deque[tuple[str, object]] = deque(("an object of the relay", one) for one in also)
    for name, module in list(sys.modules.items()):
        if _is_ours(name):
            waiting.extend((f"{name}.{member}", value) for member, value in vars(module).items())
    seen: set[int] = set()
    kept: list[object] = []  # so that no id is given twice
    while waiting:
        place, value = waiting.popleft()
        if isinstance(value, (str, bytes, bytearray, memoryview, int)):
            yield f"held by {place}", value
        elif id(value) not in seen:
            seen.add(id(value))
            kept.append(value)
            waiting.extend((place, one) for one in _inside(value))


def _inside(value: object) -> Iterable[object]:
    """Return what an object holds, as far as it is the relay's own business."""
    match value:
        case dict():
            return [*value.keys(), *value.values()]
        case FunctionType() if _is_ours(value.__module__):
            return [value.__closure__, value.__defaults__, value.__kwdefaults__, value.__dict__]
        case FunctionType():
            return ()
        case MethodType():
            return (value.__self__,)
    kind = value if isinstance(value, type) else type(value)
    looked_into = isinstance(value, CONTAINERS) or _is_ours(kind.__module__) or kind.__module__ in KEEPERS
    return gc.get_referents(value) if looked_into else ()


def _is_ours(module: str | None) -> bool:
    return (module or "").partition(".")[0] in OURS
