"""`python -m tools.events`: write events/ anew, signed now; `--check`: see that this code makes them as they are."""

import argparse
import json
import sys
import time
from pathlib import Path

from tools.events.story import VAULT, examples

FOLDER = Path(__file__).parents[2] / "events"


def main() -> str | None:
    """Write, or check; return what is wrong."""
    parser = argparse.ArgumentParser(prog="tools.events", description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--vault", default=VAULT, help="a UUID; one that was erased can't be used again")
    arguments = parser.parse_args()
    there = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    if arguments.check:
        texts = _texts(_made_at(there), arguments.vault)
        differing = sorted(name for name in {*there, *texts} if there.get(name) != texts.get(name))
        return f"make events would change {', '.join(differing)}" if differing else None
    FOLDER.mkdir(exist_ok=True)
    for name in there:
        (FOLDER / name).unlink()
    for name, text in _texts(int(time.time()), arguments.vault).items():
        (FOLDER / name).write_text(text, "utf-8")
    return None


def _texts(now_seconds: int, vault_id: str) -> dict[str, str]:
    """Return the files by name: the same for the same time."""
    made = examples(now_seconds, vault_id)
    return {f"{example.name}.json": json.dumps(example.event, indent=2) + "\n" for example in made}


def _made_at(there: dict[str, str]) -> int:
    """Return the second at which the files were made."""
    events = (json.loads(text) for text in there.values())
    return next(
        (event["requestContext"]["requestTimeEpoch"] // 1000 for event in events if "requestContext" in event), 0
    )


if __name__ == "__main__":
    sys.exit(main())
