"""Which check is about which sentence: by the parts of sentences that checks quote."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sync_relay_conformance.registry import Check
from tools.conformance import elsewhere
from tools.conformance.elsewhere import CLIENTS_SECTION, Elsewhere
from tools.conformance.sentences import Sentence, one_line


@dataclass(frozen=True, slots=True)
class Covered:
    """A sentence, the checks that quote it, and what is said of it where none does."""

    sentence: Sentence
    checks: tuple[Check, ...]
    elsewhere: Elsewhere | None

    @property
    def is_open(self) -> bool:
        """Whether somebody has to write a check, or say why there is none. Pictures and introductions are left."""
        if self.sentence.is_picture or self.sentence.section == CLIENTS_SECTION:
            return False
        is_introduction = self.sentence.text.endswith((":", ":**", ".**")) and "MUST" not in self.sentence.text
        return not (self.checks or self.elsewhere or is_introduction)


def coverage(sentences: Sequence[Sentence], checks: Sequence[Check]) -> list[Covered]:
    """Return each sentence with what is about it, in the document's order."""
    by_sentence: dict[int, list[Check]] = {}
    for check in checks:
        for quoted in check.sentences:
            for sentence in quoted_sentences(sentences, check.section, quoted):
                found = by_sentence.setdefault(id(sentence), [])
                if check not in found:
                    found.append(check)
    return [
        Covered(one, tuple(by_sentence.get(id(one), ())), next(elsewhere.of(one.section, one.text), None))
        for one in sentences
    ]


def quoted_sentences(sentences: Sequence[Sentence], section: str, quoted: str) -> list[Sentence]:
    """Return the sentences that hold what is quoted: of the check's own section, else of any."""
    part = one_line(quoted)
    found = [one for one in sentences if part in one.text]
    return [one for one in found if one.section == section] or found


def quotes_of_nothing(sentences: Sequence[Sentence], checks: Sequence[Check]) -> Iterator[str]:
    """Yield what checks quote and the protocol does not say, or says in several places."""
    for check in checks:
        for quoted in check.sentences:
            if len(quoted_sentences(sentences, check.section, quoted)) != 1:
                yield f"§{check.section} {check.title}: {quoted}"
