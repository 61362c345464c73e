"""A run's results as lines, as JUnit XML and as JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree as ET  # nosec B405  # it writes, and parses nothing

from sync_relay_conformance.runner import Outcome, Result

_WORDS: dict[Outcome, str] = {
    "passed": "passed",
    "failed": "FAILED",
    "not applicable": "not applicable",
    "interrupted": "INTERRUPTED",
}
_JUNIT: dict[Outcome, str] = {"failed": "failure", "not applicable": "skipped", "interrupted": "error"}


def line(result: Result) -> str:
    """Return the line of one check."""
    text = f"{_WORDS[result.outcome]:14}  §{result.check.section:4} {result.check.title}"
    return f"{text}: {result.reason}" if result.reason else text


def summary(url: str, results: Sequence[Result]) -> str:
    """Return the closing line."""
    counted = Counter(result.outcome for result in results)
    seconds = sum(result.duration_seconds for result in results)
    return (
        f"{url}: {counted['passed']} passed, {counted['failed']} failed, "
        f"{counted['not applicable']} not applicable, in {seconds:.0f} s"
    )


def as_json(url: str, results: Sequence[Result]) -> str:
    """Return all results as a JSON document."""
    return json.dumps({"url": url, "checks": [_as_members(result) for result in results]}, indent=2, ensure_ascii=False)


def as_junit(url: str, results: Sequence[Result]) -> bytes:
    """Return all results as JUnit XML, where what is not applicable is skipped."""
    counted = Counter(result.outcome for result in results)
    suite = ET.Element(
        "testsuite",
        name=f"sync-relay-conformance {url}",
        tests=str(len(results)),
        failures=str(counted["failed"]),
        skipped=str(counted["not applicable"]),
        errors=str(counted["interrupted"]),
        time=f"{sum(result.duration_seconds for result in results):.3f}",
    )
    for result in results:
        case = ET.SubElement(
            suite,
            "testcase",
            classname=f"protocol.§{result.check.section}",
            name=result.check.title,
            time=f"{result.duration_seconds:.3f}",
        )
        if result.outcome != "passed":
            ET.SubElement(case, _JUNIT[result.outcome], message=_writable(result.reason))
    return b"<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(suite, encoding="unicode").encode() + b"\n"


def _as_members(result: Result) -> dict[str, object]:
    return {
        "section": result.check.section,
        "title": result.check.title,
        "sentences": list(result.check.sentences),
        "outcome": result.outcome,
        "reason": result.reason,
        "duration_seconds": round(result.duration_seconds, 3),
    }


def _writable(text: str) -> str:
    """Return a text without the characters that XML 1.0 can't carry, whatever a relay answered."""
    return "".join(one if one.isprintable() else "\ufffd" for one in text)
