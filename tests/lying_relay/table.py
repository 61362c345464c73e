"""The table of lies in docs/threat-model.md, made from the lies themselves: `make lies` writes it anew."""

from collections.abc import Sequence
from pathlib import Path

from tests.lying_relay.every import ABOUT
from tests.lying_relay.registry import Lie

PAGE = Path(__file__).parents[2] / "docs" / "threat-model.md"
BEGIN, END = "<!-- lies: written by `make lies` -->\n", "<!-- end of lies -->\n"


def with_table(page: str) -> str:
    """Return the page with the table as it has to be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def table() -> str:
    """Return the table, in Markdown."""
    lies = [lie for group in ABOUT.values() for lie in group]
    named = sum(lie.caught is not None for lie in lies)
    harmless = sum(bool(lie.why) and lie.caught is None for lie in lies)
    rest = len(lies) - named - harmless
    counts = f"\n{len(lies)} lies: {named} are named, {harmless} do no harm, {rest} can't be detected.\n"
    return counts + "".join(_of(about, group) for about, group in ABOUT.items()) + "\n"


def _of(about: str, lies: Sequence[Lie]) -> str:
    rows = "".join(_row(lie) for lie in lies)
    return f"\n### {about}\n\n| the relay | what becomes of it |\n|---|---|\n{rows}"


def _row(lie: Lie) -> str:
    return f"| {_cell(lie.what)} | {_cell(lie.outcome)} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
