"""Percentiles of measurements."""

from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the least of the values that so many percent of them do not exceed (nearest rank): one that was measured.

    `percent` counts to a tenth.
    """
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(percent * 10) // 1000) - 1)]
