"""The leaks that are seeded, by kind, each with the nets that catch it. `make leaks` sees whether that is so."""

from collections.abc import Iterator

from tools.leaks.seeding import AUDIT, MYPY, ON_AWS, PROTOCOL, RELAY, SINKS, TYPE, Leak, before

PUSH = RELAY / "core/push.py"
IN_PLAN = "                receipts.append(receipt)"
"""Here `changeset` is a Changeset, and `text` its JSON text, sealed."""
CHANGESETS = RELAY / "http/changesets.py"
ANSWER = "    return json_response(201 if pushed.created else 200, _receipts(pushed), _snapshot_hint(pushed.uncovered))"
SQLITE = RELAY / "adapters/sqlite/changesets.py"
DYNAMODB = RELAY / "adapters/dynamodb/appending.py"
S3 = RELAY / "adapters/s3/texts.py"

ALL = f"{AUDIT} {TYPE} {SINKS}"
LOGGER = "import logging\nlogging.getLogger('relay')"


def _in_plan(kind: str, leaks: dict[str, tuple[str, str]]) -> Iterator[Leak]:
    for name, (code, caught) in leaks.items():
        yield Leak(kind, name, frozenset(caught.split()), PUSH, *before(IN_PLAN, code))


def _logged() -> Iterator[Leak]:
    yield from _in_plan(
        "logged",
        {
            "as an argument": (f"{LOGGER}.warning('pushed %s', changeset.nonce)", ALL),
            "in an f-string": (f"{LOGGER}.warning(f'pushed {{changeset.ciphertext}}')", ALL),
            "by repr of its carrier": (f"{LOGGER}.warning(repr(changeset))", ALL),
            "as extra": (f"{LOGGER}.warning('pushed', extra={{'sealed': text}})", ALL),
            "printed": ("print(changeset.ciphertext)", ALL),
            "on the standard error": ("import sys\nsys.stderr.write(str(changeset.nonce))", ALL),
            "as a warning": ("import warnings\nwarnings.warn(str(changeset.nonce))", ALL),
        },
    )


def _formatted() -> Iterator[Leak]:
    yield from _in_plan(
        "formatted, and printed",
        {
            "by %": ("print('%s' % changeset.nonce)", ALL),
            "by format": ("print('{}'.format(changeset.nonce))", ALL),
            "by join": ("print(''.join(one.nonce for one in self.changesets))", f"{ALL} {MYPY}"),
            "by +": ("print('' + changeset.nonce)", f"{ALL}"),
            "by slicing": ("print(changeset.ciphertext[5:9])", ALL),
            "by a memoryview": ("print(bytes(memoryview(text)[700:720]))", f"{ALL} {MYPY}"),
            "by struct": ("import struct\nprint(struct.unpack_from('20s', text, 900))", f"{ALL} {MYPY}"),
            "by encode and hex": ("print(changeset.nonce.encode().hex())", f"{ALL} {MYPY}"),
            "by base64": ("import base64\nprint(base64.b64encode(bytes(text)))", ALL),
            "by json": ("import json\nprint(json.dumps(changeset.nonce))", ALL),
            "by pickle": ("import pickle\nprint(pickle.dumps(changeset.nonce))", ALL),
            "by iterating": ("print([sign for sign in changeset.nonce][9])", f"{ALL} {MYPY}"),
        },
    )


def _reached() -> Iterator[Leak]:
    yield from _in_plan(
        "reached by a way round, and printed",
        {
            "getattr": ("print(getattr(changeset, 'nonce'))", ALL),
            "getattr of a name put together": ("print(getattr(changeset, 'non' + 'ce'))", ALL),
            "attrgetter": ("import operator\nprint(operator.attrgetter('nonce')(changeset))", ALL),
            "vars": ("print(vars(changeset)['nonce'])", ALL),
            "model_dump": ("print(changeset.model_dump()['nonce'])", f"{AUDIT} {SINKS}"),
            "an alias": ("other = changeset\nvalue = other.nonce\nprint(value)", ALL),
            "a closure": ("def show() -> None:\n    print(changeset.nonce)\nshow()", ALL),
            "a comprehension": ("print(*[one.ciphertext for one in self.changesets])", ALL),
            "a dictionary": ("kept = {'a': (1, text)}\nprint(kept['a'][1])", ALL),
            "a default": ("def show(value: object = changeset.nonce) -> None:\n    print(value)\nshow()", ALL),
            "the hidden name": ("print(text._Sealed__value)", f"{AUDIT} {MYPY} {SINKS}"),
            "a way out": (
                "from relay_protocol.sealed import into_hash\nprint(into_hash(changeset.nonce))",
                f"{AUDIT} {SINKS}",
            ),
            "a way out by another name": (
                "from relay_protocol import sealed\nprint(sealed.into_store(text))",
                f"{AUDIT} {SINKS}",
            ),
        },
    )


def _measured() -> Iterator[Leak]:
    yield from _in_plan(
        "measured or hashed, and printed",
        {
            "len of a field": ("print(len(changeset.ciphertext))", ALL),
            "hash()": ("print(hash(changeset.nonce))", ALL),
            "another hash": (
                (
                    "from hashlib import sha1\nfrom relay_protocol.sealed import into_hash\n"
                    "print(sha1(into_hash(changeset.nonce)).hexdigest())"
                ),
                f"{AUDIT} {SINKS}",
            ),
            "a checksum": (
                (
                    "from zlib import crc32\nfrom relay_protocol.sealed import into_hash\n"
                    "print(crc32(into_hash(changeset.nonce)))"
                ),
                f"{AUDIT} {SINKS}",
            ),
        },
    )


def _looked_at() -> Iterator[Leak]:
    yield from _in_plan(
        "compared or branched on",
        {
            "truth": ("if not changeset.nonce:\n    continue", f"{AUDIT} {MYPY} {TYPE}"),
            "equality": ("if changeset.nonce == '-':\n    continue", f"{AUDIT} {TYPE}"),
            "membership": ("if 'x' in changeset.ciphertext:\n    continue", f"{AUDIT} {TYPE}"),
            "its kind": ("assert not isinstance(changeset.nonce, bytes)", AUDIT),
            "in an assertion's message": ("assert changeset.schema_version >= 0, changeset.nonce", AUDIT),
            "a pattern": ("match changeset.nonce:\n    case '-':\n        continue", f"{AUDIT} {TYPE}"),
            "order": ("sorted(self.changesets, key=lambda one: one.nonce)", f"{AUDIT} {TYPE}"),
        },
    )


def _raised() -> Iterator[Leak]:
    yield from _in_plan(
        "in an exception",
        {
            "swallowed": ("try:\n    raise KeyError(changeset.nonce)\nexcept KeyError:\n    pass", ALL),
            "a note": (
                (
                    "try:\n    raise KeyError\nexcept KeyError as error:\n    error.add_note(str(changeset.nonce))\n"
                    "    print(error.__notes__)"
                ),
                ALL,
            ),
        },
    )
    old = "            raise OriginMismatch"
    later = (
        "            error = OriginMismatch()\n            error.args = (self.changesets[0],)\n            raise error"
    )
    for name, new in (("a cause", f"{old} from ValueError(self.changesets[0].nonce)"), ("its arguments", later)):
        yield Leak("in an exception", name, frozenset({AUDIT, TYPE, SINKS}), PUSH, old, new)
    old = "include_input=False)"
    yield Leak(
        "in an exception",
        "pydantic's, which repeats its input",
        frozenset({AUDIT, SINKS}),
        PROTOCOL / "requests.py",
        f"        found = error.errors(include_url=False, include_context=False, {old}\n",
        "        found = error.errors(include_url=False, include_context=False)\n        print(found)\n",
    )


def _kept() -> Iterator[Leak]:
    yield from _in_plan(
        "kept",
        {
            "a global": ("global LAST\nLAST = changeset.nonce  # type: ignore[name-defined]", f"{AUDIT} {SINKS}"),
            "an attribute of a class": ("Push.last = text", f"{AUDIT} {MYPY} {SINKS}"),
            "an attribute of a function": ("Push.run.last = text", f"{AUDIT} {MYPY} {SINKS}"),
            "the key of a cache": ("Pushed.__annotations__.setdefault(changeset.nonce, 'seen')", f"{ALL} {MYPY}"),
            "a set": ("{changeset.nonce}", f"{AUDIT} {TYPE}"),
        },
    )


def _written() -> Iterator[Leak]:
    yield from _in_plan(
        "written elsewhere",
        {
            "a temporary file": (
                (
                    "import tempfile\nwith tempfile.NamedTemporaryFile('w', suffix='.leak', delete=False) as file:\n"
                    "    file.write(str(changeset.nonce))"
                ),
                ALL,
            ),
            "a file's name": ("import tempfile\ntempfile.mkdtemp(prefix=str(changeset.nonce)[:20])", ALL),
            "the environment": ("import os\nos.environ['RELAY_LAST'] = str(changeset.nonce)", ALL),
            "a command": ("import subprocess\nsubprocess.run(['true', str(changeset.nonce)], check=False)", ALL),
        },
    )


def _answered() -> Iterator[Leak]:
    push, more = "an answer", frozenset({AUDIT, TYPE, SINKS})
    echoed = ANSWER.replace("_receipts(pushed)", "_receipts(pushed) | {'last': str(changesets[0].nonce)}")
    yield Leak(push, "a member that the protocol does not name", more, CHANGESETS, ANSWER, echoed)
    header = ANSWER.replace("_snapshot_hint(pushed.uncovered)", "{'X-Size': str(len(changesets[0].ciphertext))}")
    yield Leak(push, "a header field", more, CHANGESETS, ANSWER, header)
    old, new = before(ANSWER, "relay.telemetry.retention_ran({str(one.nonce): 1 for one in changesets})")
    yield Leak("logged", "as telemetry", more, CHANGESETS, old, new)
    yield Leak(
        push,
        "a refusal that names it",
        more,
        PUSH,
        'QuotaExceeded("max_vault_bytes", self.max_vault_bytes)',
        "QuotaExceeded(str(self.changesets[0].nonce), self.max_vault_bytes)",
    )
    yield Leak(
        push,
        "in the place of another member",
        frozenset({AUDIT, TYPE, SINKS}),
        PUSH,
        "            changeset.id\n            for changeset, digest",
        "            str(changeset.nonce)\n            for changeset, digest",
    )
    yield Leak(
        push,
        "a second time",
        frozenset({AUDIT, SINKS}),
        CHANGESETS,
        "    return into_answer(record.text, place)",
        "    return into_answer(record.text, place + b'\"copy\":' + into_answer(record.text, b'') + b',')",
    )


def _stored() -> Iterator[Leak]:
    kind = "another place of a store"
    out = "into_store(records[0].text)"
    for name, code, caught in (
        ("a second statement", f"db.execute('SELECT ?', ({out},))", {SINKS}),
        ("the text of a statement", f"db.execute('SELECT ' + repr({out}.decode()))", {AUDIT, SINKS}),
    ):
        anchor = "    last = records[-1].receipt\n    assert records[0].receipt.seq"
        yield Leak(kind, name, frozenset(caught), SQLITE, anchor, f"    {code}\n{anchor}")
    old = "        (last.seq, last.chain, sum("
    new = f"        (last.seq, {out}[-40:], sum("
    yield Leak(kind, "another column", frozenset({AUDIT, SINKS}), SQLITE, old, new)
    for name, old, new in (
        ("another attribute", '"f": tail.fence,', '"y": into_store(records[0].text)[-40:],'),
        ("a key's part", '"tk": token,', '"k": str(into_store(records[0].text)[-40:]),'),
    ):
        anchor, code = before(f"                    {old}", new)
        yield Leak(kind, name, frozenset({AUDIT, SINKS}), DYNAMODB, anchor, code, ON_AWS)
    old = 'Key=PREFIX + key, ChecksumAlgorithm="SHA256"'
    new = f"{old}, Metadata={{'first': into_store(text)[-400:].decode('ascii', 'backslashreplace')}}"
    yield Leak(kind, "an object's metadata", frozenset({AUDIT, SINKS}), S3, old, new, ON_AWS)


LEAKS = (
    *_logged(),
    *_formatted(),
    *_reached(),
    *_measured(),
    *_looked_at(),
    *_raised(),
    *_kept(),
    *_written(),
    *_answered(),
    *_stored(),
)
