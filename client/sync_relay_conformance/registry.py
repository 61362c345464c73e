"""What a check is, and the list of all of them in the order of the protocol."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync_relay_conformance.relay import Relay

SECTIONS = (
    *("words", "json_bodies", "values", "media_types", "changeset_fields", "chain"),
    *("one_signature", "parameters", "components", "content_digest", "request_line", "clock", "failures", "replays"),
    *("founding", "endorsements", "known_devices", "public_keys"),
    *("errors", "order", "registration_order", "config", "registering", "devices", "vaults", "erasure"),
    *("pushing", "duplicates", "preconditions", "hints", "pulling", "pages"),
    *("announcing", "uploading", "completing", "listing", "urls", "retention", "quotas"),
    *("rate_limits", "sealed", "races", "every_answer"),
)
"""The modules of `checks/`, in the order in which they run. The last one looks back at all answers of the run."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of docs/protocol.md. `run` returns, or raises Failed or NotApplicable."""

    section: str
    sentences: tuple[str, ...]
    """Those that it checks: parts of them, as they are written there."""
    run: Callable[["Relay"], None]

    @property
    def title(self) -> str:
        """What holds where the check passes, in words."""
        return _APOSTROPHE.sub("'", self.run.__name__.replace("_", " "))

    @property
    def name(self) -> str:
        """What `--only` looks at: section and title."""
        return f"{self.section} {self.title}"

    @property
    def module(self) -> str:
        """The module of `checks/` that it stands in."""
        return self.run.__module__.rpartition(".")[2]


_APOSTROPHE = re.compile(r" (?=[st]\b)")
"""A function's name has none: `a_device_s_key`, `can_t`."""

_CHECKS: list[Check] = []


def check(section: str, *sentences: str) -> Callable[[Callable[["Relay"], None]], Callable[["Relay"], None]]:
    """Register a function as the check of these sentences of a section."""

    def register(run: Callable[["Relay"], None]) -> Callable[["Relay"], None]:
        _CHECKS.append(Check(section, sentences, run))
        return run

    return register


def all_checks() -> list[Check]:
    """Return every check, in the order in which they run."""
    for module in SECTIONS:
        import_module(f"sync_relay_conformance.checks.{module}")
    return sorted(_CHECKS, key=lambda one: SECTIONS.index(one.module))


def selected(pattern: str | None) -> Iterator[Check]:
    """Yield the checks whose name holds the pattern, which may have `*` and `?`. All of them without a pattern."""
    for one in all_checks():
        if pattern is None or fnmatch(one.name.lower(), f"*{pattern.lower()}*"):
            yield one
