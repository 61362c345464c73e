"""The zero-knowledge audit finds a leak of every kind, by the rule that it breaks."""

from pathlib import Path
from textwrap import dedent, indent

import pytest

from tools.lint_zk.audit import audit

IMPORTS = """\
import json
import logging
import pickle
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from operator import attrgetter

import orjson
from pydantic import ValidationError

from relay.ports import AppendPlan, NewRecord, Page, Receipt, Record
from relay_protocol.changeset import Changeset
from relay_protocol.sealed import Sealed, into_answer, into_hash, into_store, json_text

logger = logging.getLogger(__name__)
"""

FUNCTION = "def handle(changeset: Changeset, text: Sealed[bytes], records: list[Record], page: Page, self, event):\n"

LEAKS_IN_A_FUNCTION = {
    # logs
    "log": ("logger.info('got %s', changeset.nonce)", "ZK002"),
    "log-of-a-carrier": ("logger.debug('got', extra={'changeset': changeset})", "ZK002"),
    "log-method-of-any-object": ("self.out.warning(text)", "ZK002"),
    "print": ("print(changeset.ciphertext)", "ZK002"),
    "print-of-a-page": ("print(page)", "ZK002"),
    "metric": ("self.telemetry.count('bytes', text)", "ZK002"),
    "log-of-a-body": ("body = self.read()\nlogger.info('request', extra={'body': body})", "ZK002"),
    "log-of-an-event": ("logger.info(event['path'])", "ZK002"),
    "log-of-headers": ("print(self.request.headers)", "ZK002"),
    "log-event-option": ("self.decorate(log_event=True)", "ZK002"),
    # text
    "f-string": ("return f'{changeset.nonce}'", "ZK001"),
    "f-string-debug": ("return f'{changeset=}'", "ZK001"),
    "f-string-format-spec": ("return f'{1:{changeset.nonce}}'", "ZK001"),
    "percent": ("return 'got %s' % changeset.nonce", "ZK001"),
    "percent-tuple": ("return 'got %s %s' % (1, changeset.nonce)", "ZK001"),
    "percent-bytes-variable": ("return self.template % text", "ZK001"),
    "format-method": ("return 'got {}'.format(changeset.nonce)", "ZK001"),
    "format-map": ("return '{x}'.format_map({'x': changeset.nonce})", "ZK001"),
    "format-function": ("return format(changeset.nonce, 's')", "ZK001"),
    "str": ("return str(changeset.nonce)", "ZK001"),
    "repr-of-a-carrier": ("return repr(changeset)", "ZK001"),
    "join": ("return ''.join(one.nonce for one in [changeset])", "ZK001"),
    "concatenation": ("return 'nonce: ' + changeset.nonce", "ZK001"),
    # exceptions
    "exception": ("raise ValueError(changeset.nonce)", "ZK003"),
    "exception-keyword": ("raise ValueError(detail=changeset)", "ZK003"),
    "exception-spread": ("raise ValueError(*records)", "ZK003"),
    "exception-made-before": ("error = ValueError(text)\nraise error", "ZK010"),
    "exception-as-a-cause": ("raise KeyError from text", "ZK003"),
    "assertion-message": ("assert page is not None, page", "ZK003"),
    "cause-repeats-input": (
        "try:\n    self.parse()\nexcept ValidationError as error:\n    raise KeyError from error",
        "ZK003",
    ),
    "context-repeats-input": ("try:\n    self.parse()\nexcept ValidationError:\n    raise KeyError", "ZK003"),
    "log-of-a-validation-error": (
        "try:\n    self.parse()\nexcept (KeyError, ValidationError) as error:\n    logger.info(error)",
        "ZK002",
    ),
    "errors-with-input": ("try:\n    self.parse()\nexcept ValidationError as e:\n    return e.errors()", "ZK009"),
    # comparisons and conditions
    "comparison": ("return changeset.nonce == 'x'", "ZK004"),
    "comparison-right": ("return b'' < text", "ZK004"),
    "comparison-of-carriers": ("return records[0] == records[1]", "ZK004"),
    "comparison-with-none": ("return text is None", "ZK004"),
    "membership-in": ("return 'a' in changeset.nonce", "ZK004"),
    "membership-of": ("return changeset.nonce in self.known", "ZK004"),
    "match": ("match changeset.nonce:\n    case 'x':\n        return 1", "ZK004"),
    "match-inside-a-carrier": ("match changeset:\n    case Changeset(nonce='x'):\n        return 1", "ZK004"),
    "match-inside-any-object": ("match self.found:\n    case Changeset(nonce=nonce):\n        return 1", "ZK004"),
    "match-a-json-member": ("match self.found:\n    case {'nonce': nonce}:\n        return 1", "ZK004"),
    "sort": ("return sorted(records, key=lambda record: record.text)", "ZK004"),
    "if": ("if changeset.nonce:\n    return 1", "ZK005"),
    "while": ("while text:\n    pass", "ZK005"),
    "conditional-expression": ("return 1 if text else 2", "ZK005"),
    "not": ("return not text", "ZK005"),
    "and": ("return text and 1", "ZK005"),
    "assert": ("assert text", "ZK005"),
    "bool": ("return bool(text)", "ZK005"),
    "comprehension-condition": ("return [1 for record in records if record.text]", "ZK005"),
    "match-guard": ("match 1:\n    case 1 if text:\n        return 1", "ZK005"),
    # measures, parts
    "len": ("return len(changeset.ciphertext)", "ZK006"),
    "hash": ("return hash(text)", "ZK006"),
    "subscript": ("return text[0]", "ZK006"),
    "slice": ("return changeset.nonce[:4]", "ZK006"),
    "iteration": ("for byte in text:\n    pass", "ZK007"),
    "iteration-over-a-carrier": ("return [value for _, value in changeset]", "ZK007"),
    "unpacking": ("first, *rest = text", "ZK007"),
    "starred-argument": ("return max(*text)", "ZK007"),
    "starred-display": ("return [*text]", "ZK007"),
    "yield-from": ("yield from text", "ZK007"),
    "list-of": ("return list(text)", "ZK007"),
    "encode": ("return changeset.nonce.encode()", "ZK008"),
    "decode": ("return text.decode()", "ZK008"),
    "name-mangling": ("return text._Sealed__value", "ZK008"),
    "name-mangling-of-anything": ("return self.found._Sealed__value", "ZK008"),
    "name-mangling-by-getattr": ("return object.__getattribute__(self.found, '_Sealed__value')", "ZK008"),
    "getattr": ("return str(getattr(self.found, 'nonce'))", "ZK001"),
    "getattr-dynamic": ("return getattr(changeset, self.field)", "ZK008"),
    "with": ("with text:\n    pass", "ZK008"),
    "isinstance": ("return isinstance(text, bytes)", "ZK008"),
    # serialised
    "json": ("return json.dumps(changeset.nonce)", "ZK009"),
    "orjson-of-a-display": ("return orjson.dumps({'nonce': changeset.nonce})", "ZK009"),
    "pickle": ("return pickle.dumps(text)", "ZK009"),
    "deepcopy": ("return deepcopy(records)", "ZK009"),
    "model-dump": ("return changeset.model_dump()", "ZK009"),
    "model-dump-json": ("return changeset.model_dump_json()", "ZK009"),
    "dict-attribute": ("return changeset.__dict__", "ZK009"),
    "vars": ("return vars(changeset)", "ZK009"),
    "locals": ("return locals()", "ZK009"),
    "asdict": ("return asdict(records[0])", "ZK009"),
    # handed on
    "unlisted-function": ("self.archive(text)", "ZK010"),
    "unlisted-function-keyword": ("self.archive(data=text)", "ZK010"),
    "unlisted-function-spread": ("self.archive(**{'data': text})", "ZK010"),
    "library-function": ("sha256(text)", "ZK010"),
    "carrier-to-unlisted-function": ("self.archive(changeset)", "ZK010"),
    "container-to-unlisted-function": ("self.archive([{'a': (1, text)}])", "ZK010"),
    "function-to-unlisted-function": ("map(lambda one: one.nonce, self.found)", "ZK010"),
    "attrgetter": ("attrgetter('nonce')(changeset)", "ZK010"),
    "into-a-field-that-is-not-sealed": ("AppendPlan(changeset.nonce)", "ZK010"),
    "way-out": ("return into_hash(changeset.nonce)", "ZK011"),
    "way-out-to-the-answer": ("return into_answer(text, b'')", "ZK011"),
    "way-out-aliased": ("out = into_store", "ZK011"),
    "json-text-measures": ("return json_text({'nonce': changeset.nonce})[1]", "ZK011"),
    "sealing": ("return Sealed(b'x')", "ZK014"),
    # kept
    "dictionary-key": ("return {changeset.nonce: 1}", "ZK012"),
    "subscript-key": ("self.known[changeset.nonce] = 1", "ZK012"),
    "set": ("return {changeset.nonce}", "ZK012"),
    "set-add": ("seen = set()\nseen.add(changeset.nonce)", "ZK012"),
    "set-comprehension": ("return {record.text for record in records}", "ZK012"),
    "dict-comprehension-key": ("return {record.text: 1 for record in records}", "ZK012"),
    "attribute-of-an-unlisted-object": ("self.last = changeset\nlogger.info(self)", "ZK012"),
    "list-in-an-unlisted-object": ("self.seen.append(text)", "ZK012"),
    "dictionary-in-an-unlisted-object": ("self.seen['x'] = text", "ZK012"),
    "setattr": ("setattr(self, 'last', text)", "ZK012"),
    "global": ("global last\nlast = text", "ZK012"),
    "default-argument": ("def inner(value=changeset.nonce):\n    pass", "ZK012"),
    "lambda-default": ("return lambda value=text: 1", "ZK012"),
    "addition": ("return text + self.more", "ZK013"),
    "repetition": ("return self.count * text", "ZK013"),
    "negation": ("return -text", "ZK013"),
    "augmented-assignment": ("total = self.more\ntotal += text", "ZK013"),
    # followed
    "re-binding": ("a = changeset.nonce\nb = a\nprint(b)", "ZK002"),
    "tuple-unpacking": ("size, (kept, _) = 1, (changeset.nonce, 2)\nprint(kept)", "ZK002"),
    "unpacked-result": ("kept, size = changeset.json_text()\nprint(kept)", "ZK002"),
    "starred-target": ("first, *rest = 1, text, 2\nprint(rest)", "ZK002"),
    "list-append": ("kept = []\nkept.append(text)\nprint(kept)", "ZK002"),
    "dictionary": ("kept = {'a': text}\nprint(kept['a'])", "ZK002"),
    "dictionary-items": ("kept = {'a': text}\nfor name, value in kept.items():\n    print(value)", "ZK002"),
    "dictionary-get": ("kept = {'a': text}\nprint(kept.get('a'))", "ZK002"),
    "subscript-assignment": ("kept = {}\nkept['a'] = text\nprint(kept)", "ZK002"),
    "comprehension": ("kept = [record.text for record in records]\nprint(kept[0])", "ZK002"),
    "generator": ("kept = (record for record in records)\nprint(next(kept))", "ZK002"),
    "zip": ("for number, record in zip(range(9), records):\n    print(record)", "ZK002"),
    "enumerate": ("for number, record in enumerate(page.records):\n    print(record.text)", "ZK002"),
    "walrus": ("if (kept := records) is not None:\n    print(kept)", "ZK002"),
    "with-as": ("with page as kept:\n    print(kept)", "ZK002"),
    "conditional-value": ("print(text if self.on else None)", "ZK002"),
    "or-value": ("print(self.other or text)", "ZK002"),
    "lambda": ("show = lambda one: one.nonce\nprint(show(self.found))", "ZK002"),
    "nested-function": ("def inner():\n    print(text)\ninner()", "ZK002"),
    "nonlocal": ("kept = None\ndef inner():\n    nonlocal kept\n    kept = text\nprint(kept)", "ZK002"),
    "assigned-below-in-a-loop": ("kept = None\nwhile True:\n    print(kept)\n    kept = text", "ZK002"),
    "match-capture": ("match changeset:\n    case Changeset() as kept:\n        print(kept)", "ZK002"),
    "json-member": ("print(self.parsed['ciphertext'])", "ZK002"),
    "json-member-get": ("print(self.parsed.get('nonce'))", "ZK002"),
    "validated": ("print(Changeset.model_validate(self.parsed))", "ZK002"),
    "given-the-class": ("print(self.load(Changeset, self.parsed))", "ZK002"),
    "attribute-of-anything": ("print(self.found.nonce)", "ZK002"),
    "argument-without-annotation": ("def inner(ciphertext):\n    print(ciphertext)", "ZK002"),
    "variadic-argument": ("def inner(*texts: Sealed[bytes]):\n    print(texts)", "ZK002"),
    "annotated-variable": ("kept: Sealed[str] = self.load()\nprint(kept)", "ZK002"),
    "await": ("async def inner():\n    print(await text)", "ZK002"),
    # what a function says that it returns
    "return": ("def inner() -> bytes:\n    return text", "ZK015"),
    "return-as-any": ("def inner():\n    return {'a': [text]}", "ZK015"),
    "yield": ("yield text", "ZK015"),
}

LEAKS_IN_A_MODULE = {
    "helper-of-the-module": (
        "def first(found: list[Record]) -> Sealed[bytes]:\n    return found[0].text\nprint(first(load()))",
        "ZK002",
    ),
    "function-given-away": (
        "def first(record: Record) -> Sealed[bytes]:\n    return record.text\nlist(map(first, ()))",
        "ZK010",
    ),
    "forward-reference": ("def show(record: 'Record | None') -> None:\n    print(record)", "ZK002"),
    "type-alias": ("Loaded = dict[str, Record]\ndef show(found: Loaded) -> None:\n    print(found['a'])", "ZK002"),
    "callable-argument": (
        "from collections.abc import Callable\ndef show(load: Callable[[], Page]) -> None:\n    print(load())",
        "ZK002",
    ),
    "optional-argument": (
        "from typing import Optional\ndef show(found: Optional[Record]) -> None:\n    print(found)",
        "ZK002",
    ),
    "module-variable": ("found: Page = load()", "ZK012"),
    "class-attribute": ("class Cache:\n    last = Changeset.model_validate(load())", "ZK012"),
    "unlisted-class": ("@dataclass\nclass Cache:\n    last: Sealed[str]", "ZK012"),
    "unlisted-class-own-attribute": (
        "class Cache:\n    def __init__(self) -> None:\n        self.seen: list[Record] = []",
        "ZK012",
    ),
    "unlisted-subclass": ("class Loud(Record):\n    pass", "ZK012"),
    "private-import": ("from relay_protocol.sealed import _reveal", "ZK011"),
    "star-import": ("from relay_protocol.sealed import *", "ZK011"),
    "module-import": ("from relay_protocol import sealed", "ZK011"),
    "dotted-import": ("import relay_protocol.sealed", "ZK011"),
    "renamed-import": ("from relay_protocol.sealed import into_store as keep", "ZK011"),
    "renamed-carrier": ("from relay_protocol.changeset import Changeset as Change", "ZK011"),
    "logged-by-decorator": ("@logger.inject_lambda_context(log_event=True)\ndef handler(): pass", "ZK002"),
    "method": (
        "class View:\n    def show(self, record: Record) -> None:\n        print(record.text)",
        "ZK002",
    ),
    "async-for": (
        "async def show(found: list[Record]) -> None:\n    async for one in found:\n        print(one)",
        "ZK002",
    ),
}

LEAKS_IN_AN_ADAPTER = {
    "way-out-to-elsewhere": ("def store(record: Record) -> None:\n    send(into_store(record.text))", "ZK010"),
    "way-out-logged": ("def store(record: Record) -> None:\n    print(into_store(record.text))", "ZK002"),
    "way-out-measured": ("def store(record: Record) -> int:\n    return len(into_store(record.text))", "ZK006"),
    "way-out-returned": ("def store(record: Record) -> bytes:\n    return into_store(record.text)", "ZK015"),
    "way-out-kept": ("def store(self, text: Sealed[bytes]) -> None:\n    self.raw = into_store(text)", "ZK012"),
    "sealed-to-the-store": ("def store(db, text: Sealed[bytes]) -> None:\n    db.execute('', (text,))", "ZK010"),
    "before-it-is-sealed": (
        "def load(text: bytes) -> Sealed[bytes]:\n    print(text)\n    return Sealed(text)",
        "ZK002",
    ),
    "another-way-out": ("def store(record: Record) -> None:\n    into_answer(record.text, b'')", "ZK011"),
}


def codes(folder: Path, source: str, module: str = "leak") -> set[str]:
    """The rules that the audit finds broken in a module of this name."""
    *packages, name = module.split(".")
    for package in packages:
        folder /= package
        folder.mkdir()
        (folder / "__init__.py").touch()
    (folder / f"{name}.py").write_text(IMPORTS + source)
    return {finding.code for finding in audit([folder / f"{name}.py"]).findings}


def cases(leaks: dict[str, tuple[str, str]]) -> list[object]:
    return [pytest.param(*leak, id=name) for name, leak in leaks.items()]


@pytest.mark.parametrize(("source", "code"), cases(LEAKS_IN_A_FUNCTION))
def test_a_leak_in_a_function_is_found(tmp_path: Path, source: str, code: str) -> None:
    assert {code} == codes(tmp_path, FUNCTION + indent(dedent(source), "    "))


@pytest.mark.parametrize(("source", "code"), cases(LEAKS_IN_A_MODULE))
def test_a_leak_in_a_module_is_found(tmp_path: Path, source: str, code: str) -> None:
    assert {code} == codes(tmp_path, source)


@pytest.mark.parametrize(("source", "code"), cases(LEAKS_IN_AN_ADAPTER))
def test_a_leak_by_a_way_out_is_found_where_it_is_open(tmp_path: Path, source: str, code: str) -> None:
    assert {code} == codes(tmp_path, source, "relay.adapters.sqlite")
