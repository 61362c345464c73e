"""What a process started, by the kernel's account."""

from pathlib import Path


def descendants_of(process: int) -> list[int]:
    """Return the processes that a process started, and that these did, the latest first."""
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
        children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [one for child in children for one in (*descendants_of(child), child)]
