"""What the audit knows beforehand: its rules, and the few places where sealed values may go.

To trust the relay with sealed values is to trust this page and `relay_protocol/sealed.py`. Nothing suppresses
a finding in the code itself.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

RULES = {
    "ZK001": "formatted, converted or joined into text",
    "ZK002": "logged, printed or measured for telemetry",
    "ZK003": "put into an exception",
    "ZK004": "compared",
    "ZK005": "branched on",
    "ZK006": "measured, indexed or sliced",
    "ZK007": "iterated or unpacked",
    "ZK008": "reached into",
    "ZK009": "serialised or copied",
    "ZK010": "passed to what does not declare it sealed",
    "ZK011": "let out in a place that is not listed",
    "ZK012": "kept where it is not declared sealed",
    "ZK013": "computed with",
    "ZK014": "made in a place that is not listed",
    "ZK015": "returned by what does not declare it sealed",
}

SEALED_MODULE = "relay_protocol.sealed"
"""The one module that may look; it is not audited."""

OUR_PACKAGES = frozenset({"relay_protocol", "relay", "functions", "local"})

SEALED_ATTRIBUTES = frozenset({"nonce", "ciphertext", "text"})
"""Whatever the object is, an attribute of this name is taken as sealed (`Changeset`, `NewRecord`, `Record`)."""

SEALED_MEMBERS = frozenset({"nonce", "ciphertext"})
"""JSON members that are sealed before a model took them, as in `value["nonce"]` or `value.get("nonce")`."""

CARRIERS = {
    "Changeset": "its nonce and ciphertext",
    "PulledChangeset": "describes the answer of a pull",
    "Batch": "the changesets of a push, as parsed",
    "PullAnswer": "describes the answer of a pull",
    "Push": "the changesets of a push, as the core takes them",
    "NewRecord": "a changeset's JSON text on its way into the store",
    "Record": "a changeset's JSON text on its way out of the store",
    "AppendPlan": "the records that an append stores",
    "Page": "the records of a pull",
    "_Vault": "a vault in the memory store",
    "MemoryLog": "the memory store",
    "ValidationError": "pydantic's: it repeats the input that it refused",
}
"""Classes that may hold sealed values, in fields annotated so. They are never formatted, compared or logged whole."""

OPAQUE_TYPE_VARIABLES = {
    ("relay.adapters.sqlite.database", "R"): "what a transaction returns, whatever it is",
    ("relay.adapters.sqlite.sharing", "R"): "the same",
    ("relay.adapters.sqlite.transaction", "R"): "the same",
}
"""Type variables that may stand for what is sealed: the module that declares one treats it so, and a function that
returns one returns what the functions that it was given return."""


@dataclass(frozen=True, slots=True)
class WayOut:
    """A function of `sealed.py`, where it may be called, and the calls that may take its result."""

    name: str
    module: str
    place: str
    takers: frozenset[str]
    reason: str

    def is_open_at(self, module: str, place: str) -> bool:
        """Whether a function, named with the classes it stands in, may call it."""
        return fnmatchcase(module, self.module) and fnmatchcase(place, self.place)


WAYS_OUT = (
    WayOut(
        "into_hash",
        "relay_protocol.changeset",
        "Changeset.digest",
        frozenset({"pae"}),
        "the digest covers every field (§3)",
    ),
    WayOut(
        "into_store",
        "relay.adapters.sqlite*",
        "*",
        frozenset({"execute", "executemany"}),
        "a text becomes a column",
    ),
    WayOut(
        "into_store",
        "relay.adapters.dynamodb*",
        "*",
        frozenset({"put"}),
        "a text becomes an attribute of an entry",
    ),
    WayOut(
        "into_store",
        "relay.adapters.s3*",
        "*",
        frozenset({"call"}),
        "a text too large for an item becomes an object",
    ),
    WayOut(
        "into_answer",
        "relay.http.changesets",
        "_render",
        frozenset({"return"}),
        "a pulled changeset becomes a part of the answer's bytes",
    ),
    WayOut(
        "json_text",
        "relay_protocol.changeset",
        "Changeset.json_text",
        frozenset(),
        "the text to store, sealed again, and its length (§7.5)",
    ),
    WayOut(
        "__dict__",
        "relay_protocol.changeset",
        "Changeset.json_text",
        frozenset(),
        "all fields, straight into `json_text`",
    ),
    WayOut(
        "Sealed",
        "relay.adapters.*",
        "*",
        frozenset(),
        "a text that comes back from the store is sealed again",
    ),
)

WATCHED_NAMES = frozenset(way.name for way in WAYS_OUT)

LOGGERS = frozenset({"print", "logger", "logging", "telemetry", "metrics", "tracer", "warnings", "stdout", "stderr"})
LOG_METHODS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log_event"})
REQUEST_NAMES = frozenset({"body", "event", "headers"})
"""What a client sent. No log call may name it, sealed or not."""

CODE_OF_CALL = {
    **dict.fromkeys(("str", "repr", "ascii", "format", "format_map", "join", "bytes", "bytearray"), "ZK001"),
    **dict.fromkeys(("sorted", "min", "max", "sort", "index", "count", "compare_digest"), "ZK004"),
    **dict.fromkeys(("bool", "any", "all"), "ZK005"),
    **dict.fromkeys(("len", "sum", "hash", "getsizeof", "memoryview"), "ZK006"),
    **dict.fromkeys(("list", "tuple", "iter", "next", "zip", "enumerate", "reversed"), "ZK007"),
    **dict.fromkeys(("dir", "isinstance", "hasattr", "getattr"), "ZK008"),
    **dict.fromkeys(("dumps", "dump", "asdict", "astuple", "vars", "locals", "copy", "deepcopy"), "ZK009"),
    **dict.fromkeys(("model_dump", "model_dump_json", "__dict__", "json", "dict", "errors"), "ZK009"),
    **dict.fromkeys(("set", "frozenset", "add", "setattr", "setdefault"), "ZK012"),
}
"""The rule that a call breaks by its name when it takes, or is asked of, what is sealed; any other call: ZK010."""
