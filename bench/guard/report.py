"""What the guard prints."""

from collections.abc import Sequence

from bench.guard.baseline import Verdict


def print_verdicts(verdicts: Sequence[Verdict]) -> None:
    """Print a table in Markdown, and a line that says what it means."""
    print("| | instructions before | now | change | may rise by | forced writes before | now | |")
    print("|---|---|---|---|---|---|---|---|")
    for each in verdicts:
        before, now = each.before, each.now
        print(
            f"| {each.name} | {before.instructions:,.0f} | {now.instructions:,.0f} | {each.change:+.2%} |"
            f" {before.tolerance:.2%} | {before.forced_writes:.2f} | {now.forced_writes:.2f} | {_word(each)} |"
        )
    worse = [each.name for each in verdicts if each.is_worse]
    if worse:
        print(f"WORSE: {'; '.join(worse)}")
    elif any(each.is_better for each in verdicts):
        print("Better than the baseline: keep it by `make bench-guard ACCEPT=1`")
    else:
        print("As before")


def _word(verdict: Verdict) -> str:
    return "worse" if verdict.is_worse else "better" if verdict.is_better else ""
