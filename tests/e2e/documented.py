"""Documents whose examples run: fenced blocks by their language, and steps in HTML comments that readers don't see."""

import io
import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SHOWN_URL = "http://127.0.0.1:8787"
"""The relay's address in the documents: what `make run` prints."""

_BLOCK = re.compile(
    r"^(?:```(?P<kind>\w+)(?P<title>[^\n]*)\n(?P<text>.*?)^```|<!-- (?P<hidden>\w+)\n(?P<step>.*?)^-->)$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A block: what it is of (`python`, `text`, `sh`), what follows that on its fence, and where its text begins."""

    kind: str
    title: str
    text: str
    line: int


def blocks_of(name: str) -> list[Block]:
    """Return a document's blocks in their order; hidden ones are like others."""
    document = (ROOT / name).read_text("utf-8")
    return [
        Block(
            found["kind"] or found["hidden"],
            (found["title"] or "").strip(),
            found["text"] if found["kind"] else found["step"],
            document.count("\n", 0, found.start()) + 2,
        )
        for found in _BLOCK.finditer(document)
    ]


def run_python(name: str, url: str, names: dict[str, Any]) -> int:
    """Run a document's Python in one namespace; a `text` block is what the one before it prints. Return how many ran.

    `…` stands for what differs from run to run.
    """
    ran, printed = 0, ""
    for block in blocks_of(name):
        if block.kind == "python":
            assert not printed, f"{name}:{block.line}: the block before it prints what the document does not show"
            source = "\n" * (block.line - 1) + block.text.replace(SHOWN_URL, url)
            output = io.StringIO()
            with redirect_stdout(output):
                exec(compile(source, name, "exec"), names)
            printed = output.getvalue().replace(url, SHOWN_URL)
            ran += 1
        elif block.kind == "text":
            assert matches(block.text, printed), f"{name}:{block.line}: it prints\n{printed}"
            printed = ""
    assert not printed, f"{name}: the last block prints what the document does not show"
    return ran


def matches(shown: str, printed: str) -> bool:
    """Whether something was printed as it is shown."""
    pattern = ".+?".join(map(re.escape, shown.split("…")))
    return re.fullmatch(pattern, printed) is not None
