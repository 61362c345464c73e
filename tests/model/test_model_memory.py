"""The relay in memory does what the plain model does, whatever is drawn."""

from tests.figures import Report
from tests.model.run import run
from tests.model.stores import MemoryStores


def test_a_relay_in_memory_does_what_the_model_does(report: Report) -> None:
    run(lambda _: MemoryStores(), 20, 1, report)
