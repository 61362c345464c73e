"""docs/protocol.md as the sentences that a check can be about, each with its section's number."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"

_HEADING = re.compile(r"#+ (?:(?P<number>\d+(?:\.\d+)?)\.? )?")
_END_OF_SENTENCE = re.compile(r"(?<!^\d\.)(?<=\.) +(?=[A-Z`*(])")
_ITEM = re.compile(r" *(- |\d\. )")
_RULE = re.compile(r"\|[-| ]+\|")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, a row of a table, or a block of code, on one line. Pictures may be quoted, and need no check."""

    section: str
    text: str
    is_picture: bool = False


def sentences(document: str) -> list[Sentence]:
    """Split the document. What stands before the first numbered section is about reading it, and is left out."""
    found: list[Sentence] = []
    section = ""
    for block in _blocks(document.splitlines()):
        heading = _HEADING.match(block[0])
        if heading is not None:
            section = heading["number"] or section
        elif section and _RULE.fullmatch(block[0]):
            found.pop()  # the names of a table's columns
        elif section:
            found += _of_block(section, block)
    return found


def one_line(text: str) -> str:
    """Return a text with its line breaks and indents as single spaces."""
    return " ".join(text.split())


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Yield what stands together: paragraphs, list items, tables' rows, indented code, fenced blocks, headings."""
    block: list[str] = []
    is_fenced = False
    for line in lines:
        if line.lstrip().startswith("```"):
            block.append(line)
            if is_fenced:
                yield block
                block = []
            is_fenced = not is_fenced
        elif is_fenced:
            block.append(line)
        else:
            if block and _begins(line, block[-1]):
                yield block
                block = []
            if line.strip():
                block.append(line)
    if block:
        yield block


def _begins(line: str, before: str) -> bool:
    """Whether a line begins something new."""
    if not line.strip() or line.startswith(("|", "#")) or _ITEM.match(line):
        return True
    return _is_code(line) != _is_code(before)


def _is_code(line: str) -> bool:
    return line.startswith("    ") and not _ITEM.match(line)


def _of_block(section: str, block: list[str]) -> Iterator[Sentence]:
    text = one_line("\n".join(block))
    if block[0].lstrip().startswith("```"):
        yield Sentence(section, text, is_picture=True)
    elif _is_code(block[0]) or block[0].startswith("|"):
        yield Sentence(section, text)
    else:
        for part in _END_OF_SENTENCE.split(text):
            yield Sentence(section, part)
