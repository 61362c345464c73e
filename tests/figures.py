"""Figures that tests report: how much was done, and by which seed it is done again. They stand at the run's end."""

from collections.abc import Callable, Iterable

import pytest

Report = Callable[[str, object], None]
"""Takes a figure's name and the figure."""


def lines(reports: Iterable[pytest.TestReport]) -> list[str]:
    """Return a line for each test that reported any."""
    of_tests = ((report.nodeid, report.user_properties) for report in reports if report.when == "call")
    return sorted(
        f"{nodeid}: " + "; ".join(f"{name} {figure}" for name, figure in figures)
        for nodeid, figures in of_tests
        if figures
    )
