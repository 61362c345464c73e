"""`python -m tools.leaks.document`: writes the table of the threat model, which leaks are caught by which nets."""

from itertools import groupby
from pathlib import Path

from tools.leaks.leaks import LEAKS
from tools.leaks.seeding import NETS, Leak

PAGE = Path(__file__).parents[2] / "docs" / "threat-model.md"
BEGIN, END = "<!-- leaks: written by `make leaks-table` -->\n", "<!-- end of leaks -->\n"
HEADS = {"audit": "audit", "mypy": "mypy", "type": "type", "sinks": "sinks"}


def with_table(page: str) -> str:
    """Return the page with the table as it has to be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def table() -> str:
    """Return it in Markdown: a row for each kind and each set of nets, with the leaks that are so caught."""
    lines = ["| leak | seeded | " + " | ".join(HEADS[net] for net in NETS) + " |", "|---" * (2 + len(NETS)) + "|"]
    ordered = sorted(LEAKS, key=_place)
    for (kind, caught), leaks in groupby(ordered, key=lambda leak: (leak.kind, leak.caught)):
        names = "; ".join(leak.name for leak in leaks)
        marks = " | ".join("x" if net in caught else "" for net in NETS)
        lines.append(f"| {kind} | {names} | {marks} |")
    totals = " | ".join(str(sum(net in leak.caught for leak in LEAKS)) for net in NETS)
    lines.append(f"| **{len(LEAKS)}** | **{sum(bool(leak.caught) for leak in LEAKS)} caught** | {totals} |")
    return "\n".join(lines) + "\n"


def _place(leak: Leak) -> tuple[int, list[str]]:
    first = next(place for place, other in enumerate(LEAKS) if other.kind == leak.kind)
    return first, [net for net in NETS if net in leak.caught]


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
