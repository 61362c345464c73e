"""What the relay's modules still hold once all requests are answered: caches, globals, closures, defaults."""

import gc
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from functools import _lru_cache_wrapper
from types import CellType, FunctionType, MappingProxyType, MethodType

OURS = frozenset({"relay", "relay_protocol", "functions", "local"})
CONTAINERS = (dict, list, tuple, set, frozenset, deque, MappingProxyType, CellType)


def held(*also: object) -> Iterator[tuple[str, object]]:
    """Yield each text, bytes and number that can be reached from the relay's modules, and from these objects."""
    waiting: deque[tuple[str, object]] = deque(("an object of the relay", one) for one in also)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in OURS:
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
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, CONTAINERS):
        return gc.get_referents(value)
    if isinstance(value, FunctionType):
        if value.__module__.partition(".")[0] not in OURS:
            return ()
        return [value.__closure__, value.__defaults__, value.__kwdefaults__, value.__dict__]
    if isinstance(value, MethodType):
        return (value.__self__,)
    if isinstance(value, _lru_cache_wrapper):
        return gc.get_referents(value)
    kind = value if isinstance(value, type) else type(value)
    if kind.__module__.partition(".")[0] in OURS or kind.__module__ in {"_thread", "functools"}:
        return gc.get_referents(value)
    return ()
