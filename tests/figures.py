"""Figures that tests report: how much was done, and by which seed it is done again. They stand at the run's end."""

from collections.abc import Callable, Iterable

import pytest

Report = Callable[[str, object], None]
"""Takes a figure's name and the figure. A test with parameters has its numbers added up."""


def lines(reports: Iterable[pytest.TestReport]) -> list[str]:
    """Return a line for each test that reported any."""
    told: dict[str, dict[str, object]] = {}
    for report in reports:
        for name, figure in report.user_properties if report.when == "call" else ():
            figures = told.setdefault(report.nodeid.partition("[")[0], {})
            before = figures.get(name)
            if before is None:
                figures[name] = figure
            elif isinstance(before, int) and isinstance(figure, int):
                figures[name] = before + figure
            else:
                figures[name] = f"{before}, {figure}"
    return sorted(
        f"{test}: " + "; ".join(f"{name} {figure}" for name, figure in figures.items())
        for test, figures in told.items()
    )
