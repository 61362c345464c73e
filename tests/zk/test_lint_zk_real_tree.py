"""The zero-knowledge audit passes the relay itself and what sealed values are for, and sees a leak put into either."""

import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree
from textwrap import dedent

import pytest

from tools.lint_zk.audit import audit, module_name
from tools.lint_zk.rules import CARRIERS, WAYS_OUT

CHECKOUT = Path(__file__).parents[2]
AUDITED = [CHECKOUT / "layers" / "relay", CHECKOUT / "functions", CHECKOUT / "local"]

IMPORTS = """\
from relay.ports import AppendPlan, NewRecord, Page, Record
from relay_protocol.changeset import Changeset
from relay_protocol.sealed import Sealed, into_answer, into_hash, into_store, json_text
"""

CLEAN = {
    "the digest": (
        "relay_protocol.changeset",
        """
        class Changeset(BaseModel):
            nonce: Sealed[str]

            def digest(self, vault_id: str) -> bytes:
                return sha256(pae(vault_id, into_hash(self.nonce))).digest()

            def json_text(self) -> tuple[Sealed[bytes], int]:
                return json_text(self.__dict__)
        """,
    ),
    "into the store": (
        "relay.adapters.sqlite",
        """
        def insert(db: Connection, records: Sequence[NewRecord]) -> None:
            db.executemany("INSERT", [(one.size_bytes, into_store(one.text)) for one in records])
        """,
    ),
    "out of the store": (
        "relay.adapters.sqlite",
        """
        def load(db: Connection) -> list[Record]:
            records: list[Record] = []
            for seq, text, size_bytes in db.execute("SELECT"):
                records.append(Record(seq, b"", 0, Sealed(text), size_bytes))
            return records
        """,
    ),
    "into the answer": (
        "relay.http.changesets",
        """
        def _render(record: Record) -> bytes:
            return into_answer(record.text, b'"seq":%d,' % record.seq)

        def render(page: Page) -> bytes:
            return b",".join(_render(record) for record in page.records)
        """,
    ),
    "into a record": (
        "relay.core.push",
        """
        def plan(changeset: Changeset, receipt: Receipt) -> AppendPlan[None]:
            text, size_bytes = changeset.json_text()
            return AppendPlan(None, [NewRecord(receipt, text, size_bytes)])
        """,
    ),
    "to a function that declares it": (
        "relay.core.push",
        """
        def show(page: Page | None) -> int:
            return 0 if page is None or not page.records else first(page.records, limit=1).seq

        def first(records: Sequence[Record], *, limit: int) -> Record:
            return records[:limit][0]
        """,
    ),
    "what is not sealed of an object": (
        "relay.core.push",
        """
        def show(changeset: Changeset) -> None:
            if changeset.entity != "-" and len([changeset]) == 1:
                logger.info("got %s, version %d", changeset.id, changeset.schema_version)
        """,
    ),
    "the class of an object": (
        "relay.core.push",
        """
        def show(found: Page | RelayError) -> Page | None:
            if isinstance(found, RelayError):
                return None
            match found:
                case Page() as page:
                    return page
        """,
    ),
    "a word that is the name of a sealed field": (
        "relay_protocol.signing",
        """
        TYPES = {"nonce": str, "ciphertext": str}

        def check(nonce: str, text: str) -> bool:
            return len(nonce) > 1 and text.startswith(nonce) and "nonce" in TYPES
        """,
    ),
    "why input was refused": (
        "relay_protocol.requests",
        """
        def check(value: object) -> None:
            try:
                Changeset.model_validate(value)
            except ValidationError as error:
                raise KeyError(str(error.errors(include_input=False)[0]["type"])) from None
        """,
    ),
}

INJECTED = [
    (
        "relay/core/push.py",
        "        if refusal is not None:",
        "        if print(self) or refusal is not None:",
        "ZK002",
    ),
    ("relay/core/push.py", "receipts.append(receipt)", "receipts.append(f'{text}')", "ZK001"),
    ("relay/core/push.py", "extend(head, digest)", "extend(head, digest) if text else head", "ZK005"),
    ("relay/core/pull.py", "raise CursorAhead(page.head)", "raise CursorAhead(page)", "ZK003"),
    ("relay/http/changesets.py", "    return into_answer(", "    print(record)\n    return into_answer(", "ZK002"),
    ("relay/ports/changesets.py", "    text: Sealed[bytes]\n", "    text: bytes\n", "ZK010"),
    ("relay_protocol/requests.py", "include_input=False", "include_input=True", "ZK009"),
    (
        "relay_protocol/changeset.py",
        "        return sha256(",
        "        assert self.nonce\n        return sha256(",
        "ZK005",
    ),
]


def test_the_relay_is_clean_and_was_looked_at() -> None:
    report = audit(AUDITED)
    assert [str(finding) for finding in report.findings] == []
    assert report.files > 30
    assert report.uses > 60


@pytest.mark.parametrize(
    ("path", "old", "new", "code"), INJECTED, ids=[f"{path}-{code}" for path, *_, code in INJECTED]
)
def test_a_leak_put_into_the_relay_is_found(tmp_path: Path, path: str, old: str, new: str, code: str) -> None:
    copy = copytree(CHECKOUT / "layers" / "relay", tmp_path / "relay")
    source = (copy / path).read_text()
    assert old in source
    (copy / path).write_text(source.replace(old, new))
    assert code in {finding.code for finding in audit([copy]).findings}


@pytest.mark.parametrize(("module", "source"), CLEAN.values(), ids=CLEAN.keys())
def test_what_sealed_values_are_for_passes(tmp_path: Path, module: str, source: str) -> None:
    assert [str(finding) for finding in audit([_write(tmp_path, module, IMPORTS + dedent(source))]).findings] == []


@pytest.mark.parametrize("way", WAYS_OUT, ids=lambda way: way.name)
def test_each_way_out_is_in_use(way: object) -> None:
    """A place that the list opens and nobody needs would be a hole."""
    remaining = tuple(other for other in WAYS_OUT if other is not way)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tools.lint_zk.rules.WAYS_OUT", remaining)
        assert audit(AUDITED).findings


@pytest.mark.parametrize("carrier", sorted(CARRIERS.keys() - {"ValidationError"}))
def test_each_carrier_is_declared_in_the_relay(carrier: str) -> None:
    """A name that no class has would let the next class of that name hold sealed values unseen."""
    line = re.compile(rf"^class {carrier}\b", re.MULTILINE)
    found = [path for root in AUDITED for path in root.rglob("*.py") if line.search(path.read_text())]
    assert len(found) == 1


def test_the_sealed_module_is_exempt_only_in_its_place(tmp_path: Path) -> None:
    source = "def show(value: Sealed[str]) -> str:\n    return value._Sealed__value\n"
    assert not audit([_write(tmp_path, "relay_protocol.sealed", source)]).findings
    assert audit([_write(tmp_path / "elsewhere", "sealed", source)]).findings


def test_the_command_names_each_place_and_fails(tmp_path: Path) -> None:
    path = _write(tmp_path, "leak", "def show(record: Record) -> None:\n    print(record.text)\n")
    ended = _run(path)
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[0].startswith(f"{path}:2:11: ZK002 ")
    assert ended.stdout.splitlines()[0].endswith("record.text")


def test_the_command_passes_clean_code(tmp_path: Path) -> None:
    ended = _run(_write(tmp_path, "clean", "pass\n"))
    assert ended.returncode == 0
    assert ended.stdout == "lint_zk: 1 files, 0 uses of sealed values, 0 findings\n"


def test_the_command_does_not_pass_what_it_could_not_find(tmp_path: Path) -> None:
    assert _run(tmp_path / "absent").returncode == 2
    assert _run().returncode == 2


def _run(*paths: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.lint_zk", *map(str, paths)]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def _write(folder: Path, module: str, source: str) -> Path:
    """Write a module below a folder, in its packages."""
    *packages, name = module.split(".")
    folder.mkdir(exist_ok=True)
    for package in packages:
        folder /= package
        folder.mkdir()
        (folder / "__init__.py").touch()
    path = folder / f"{name}.py"
    path.write_text(source)
    assert module_name(path) == module
    return path
