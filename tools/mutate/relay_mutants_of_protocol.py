"""Bugs in how signatures and bodies are read."""

from collections.abc import Iterator

from tools.mutate.relay_mutants import PROTOCOL, RelayMutant


def mutants() -> Iterator[RelayMutant]:
    """Yield them."""
    yield from _signatures()
    yield from _coverage()
    yield from _bodies()
    yield from _values()


def _signatures() -> Iterator[RelayMutant]:
    path = PROTOCOL / "signing.py"
    skew = 'abs(now_seconds - self.parameters["created"]) > clock_skew_seconds'
    expires = 'self.parameters.get("expires", now_seconds) < now_seconds'
    base = "if base is None or not verifies(public_key, base, self.signature):"
    for name, old, new, check in (
        ("the skew is one second short", skew, skew.replace(">", ">="), "created may be off by the skew and no more"),
        ("a clock ahead is not judged", skew, skew.replace("abs(", "("), "created may be off by the skew and no more"),
        ("expires is over at its second", expires, expires.replace("<", "<="), "expires is honoured to the second"),
        ("expires is not looked at", expires, "False", "expires is honoured to the second"),
        ("a signature is not verified", base, "if base is None:", "a signature by another key does not verify"),
        (
            "a component may be covered twice",
            "len(set(covered)) != len(covered) or ",
            "",
            "no component is covered twice or with a parameter",
        ),
    ):
        yield RelayMutant(name, path, old, new, check)


def _coverage() -> Iterator[RelayMutant]:
    path = PROTOCOL / "signing.py"
    for name, old, new, check in (
        (
            "a condition need not be covered",
            'COVERED_WHEN_SENT = frozenset({"if-match", "authorization"})',
            'COVERED_WHEN_SENT = frozenset({"authorization"})',
            "if match and authorization are covered where sent",
        ),
        (
            "the path need not be covered",
            'ALWAYS_COVERED = frozenset({"@method", "@authority", "@path"})',
            'ALWAYS_COVERED = frozenset({"@method", "@authority"})',
            "method authority and path are always covered",
        ),
        ("a body need not be covered", 'required.add("content-digest")', "pass", "the digest of a body is covered"),
        (
            "a query parameter need not be covered",
            'required |= {f\'"@query-param";name="{_encode(name)}"\' for name, _ in message.query}',
            "",
            "each query parameter is covered",
        ),
        (
            "any algorithm will do",
            'parameters.get("alg", "ed25519") != "ed25519"',
            "False",
            "alg is ed25519 where it is there",
        ),
        (
            "any parameter will do",
            "type(value) is not _PARAMETER_TYPES.get(name)",
            "type(value) is not _PARAMETER_TYPES.get(name, type(value))",
            "any other parameter is refused",
        ),
        (
            "two signatures of one label are one",
            'fields.get("signature-input"), each_key_once=True',
            'fields.get("signature-input")',
            "a label that stands twice is several signatures",
        ),
        (
            "a body's digest is not compared",
            "value != sha256(message.body).digest()",
            "False",
            "the sha 256 of the body counts and no other",
        ),
        (
            "an authority keeps its default port",
            '.removesuffix(":443").removesuffix(":80")',
            "",
            "the authority is without a default port",
        ),
        (
            "an authority keeps its case",
            "return host.lower().",
            "return host.",
            "the authority is the host in lower case",
        ),
        (
            "a space in a query is a plus",
            'quote(text, safe="*", errors="surrogatepass")',
            'quote(text, safe="*", errors="surrogatepass").replace("%20", "+")',
            "a query parameter is covered as it is encoded",
        ),
    ):
        yield RelayMutant(name, path, old, new, check)


def _bodies() -> Iterator[RelayMutant]:
    requests = PROTOCOL / "requests.py"
    for name, path, old, new, check in (
        (
            "a batch holds one too many",
            requests,
            "len(listed) > max_batch",
            "len(listed) > max_batch + 1",
            "a push has 1 to max batch changesets",
        ),
        (
            "a batch may be empty",
            requests,
            "Field(min_length=1)",
            "Field(min_length=0)",
            "a push has 1 to max batch changesets",
        ),
        (
            "an id may come twice in a request",
            requests,
            "if changeset.id in seen:",
            "if False:",
            "the same id twice in a request is refused",
        ),
        (
            "unknown members are ignored",
            requests,
            'model_config = ConfigDict(strict=True, extra="forbid", frozen=True)',
            'model_config = ConfigDict(strict=True, extra="ignore", frozen=True)',
            "an unknown member is refused",
        ),
        (
            "an unknown member's name is repeated",
            requests,
            "location = location[:-1]",
            "pass",
            "an unknown member is reported at its parent",
        ),
        (
            "a 422 reports one fault",
            requests,
            "MAX_REPORTED_ERRORS = 32",
            "MAX_REPORTED_ERRORS = 1",
            "an invalid field is pointed at",
        ),
    ):
        yield RelayMutant(name, path, old, new, check)


def _values() -> Iterator[RelayMutant]:
    requests, changeset, encoding = PROTOCOL / "requests.py", PROTOCOL / "changeset.py", PROTOCOL / "encoding.py"
    for name, path, old, new, check in (
        (
            "a snapshot may have no bytes",
            requests,
            "size: Annotated[int, Field(ge=1,",
            "size: Annotated[int, Field(ge=0,",
            "an announcement's fields have rules",
        ),
        ("a null endorsement is none", requests, "if value is None:", "if False:", "a null endorsement is invalid"),
        (
            "numbers are coerced",
            changeset,
            "ConfigDict(strict=True,",
            "ConfigDict(strict=False,",
            "an integer has no fraction and no exponent",
        ),
        (
            "texts are trimmed",
            changeset,
            "frozen=True)\n\n    id: Uuid",
            "frozen=True, str_strip_whitespace=True)\n\n    id: Uuid",
            "a text comes back as it came",
        ),
        ("an entity is one longer", changeset, "max_length=128", "max_length=129", "entity has 1 to 128 code points"),
        (
            "a text may be empty",
            changeset,
            "Text64 = Annotated[str, StringConstraints(min_length=1,",
            "Text64 = Annotated[str, StringConstraints(min_length=0,",
            "timestamp has 1 to 64 and need be no time",
        ),
        (
            "a version is one higher",
            changeset,
            "MAX_SCHEMA_VERSION = 2**31 - 1",
            "MAX_SCHEMA_VERSION = 2**31",
            "schema version is 0 to 2147483647",
        ),
        ("times have no milliseconds", encoding, ".{milliseconds:03d}Z", "Z", "a time is written in one way"),
        ("NaN is a number", encoding, "parse_constant=_refuse_constant, ", "", "nan and infinity are no json"),
    ):
        yield RelayMutant(name, path, old, new, check)
