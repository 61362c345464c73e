"""Run our embedded relay and its peers at the same work, one after the other, and write what came of it.

Results go to `bench/results/`: `beside.json`, `beside.md` and plots; the README's figures are filled from them. A quick
run takes two or three minutes and writes to `build/bench/` unless told otherwise.
"""

import argparse
import gc
import json
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from bench.beside.floor import bare_answers, floors, syncing
from bench.beside.machine import machine_of
from bench.beside.peers.every import ABSENT, all_peers
from bench.beside.peers.npm import node_version
from bench.beside.peers.port import Peer
from bench.beside.plan import FULL, QUICK, Plan
from bench.beside.plots import draw
from bench.beside.report import Results, chief, fill, whole
from bench.beside.traced import trace
from bench.beside.wire import RefusedError
from bench.beside.work import Run

ROOT = Path(__file__).parent.parent.parent
RESULTS = ROOT / "bench" / "results"


def main() -> None:
    """Parse the arguments, measure, write."""
    parser = argparse.ArgumentParser(prog="bench.beside", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a run of two or three minutes")
    parser.add_argument("--only", action="append", help="a server by its name; may be given several times")
    parser.add_argument("--out", type=Path, help="the folder of the results")
    parser.add_argument("--render", action="store_true", help="measure nothing: write anew from beside.json")
    arguments = parser.parse_args()
    out: Path = (arguments.out or (ROOT / "build" / "bench" if arguments.quick else RESULTS)).resolve()
    out.mkdir(parents=True, exist_ok=True)
    if not arguments.render:
        results = measure(QUICK if arguments.quick else FULL, arguments.only)
        (out / "beside.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    results = json.loads((out / "beside.json").read_text("utf-8"))
    (out / "beside.md").write_text(whole(results), "utf-8")
    draw(results, out)
    if out == RESULTS:
        fill(ROOT / "README.md", chief(results))


def measure(plan: Plan, only: list[str] | None) -> Results:
    """Return the results of a run."""
    peers = [peer for peer in all_peers() if not only or peer.facts.name in only]
    results: Results = {
        "plan": plan.name,
        "machine": machine_of(ROOT) | {"node": node_version()},
        "servers": [],
        "figures": [],
    }
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".beside-") as name:
        folder = Path(name)
        results["floor"] = [floor.as_json() for floor in floors(folder, plan)]
        results["bare"] = [figure.as_json() for figure in bare_answers(folder, plan)]
        for peer in peers:
            try:
                _add(results, peer, plan, folder)
            except RefusedError as error:  # the others' figures stand
                broken_off = replace(peer.facts, note=f"it broke off: {error}", cannot={"": "broke off"})
                results["servers"].append(asdict(broken_off))
    results["servers"] += [asdict(facts) for facts in ABSENT]
    return results


def _add(results: Results, peer: Peer, plan: Plan, folder: Path) -> None:
    """Measure one server: first traced, where time does not count, then at the work."""
    print(f"{peer.facts.name}: {peer.facts.version}", file=sys.stderr, flush=True)
    data = folder / peer.facts.name.replace(" ", "-")
    for place in (data / "traced", data / "work"):
        place.mkdir(parents=True)
    durability = trace(peer, plan.traced, plan.connections, data / "traced")
    disk_syncs, _ = syncing(data, plan.floor_seconds)
    gc.collect()
    gc.disable()  # so that a collection of the generator's is not taken for a server's latency
    try:
        account = Run(peer, plan, data / "work").do()
    finally:
        gc.enable()
    results["figures"] += [figure.as_json() for figure in account.figures]
    results["servers"].append(
        asdict(peer.facts)
        | {
            "durability": asdict(durability) if durability else None,
            "disk_syncs_per_second": round(disk_syncs),
            "resident_start_mib": round(account.resident_start_mib, 1),
            "resident_deep_mib": round(account.resident_deep_mib, 1),
            "resident_end_mib": round(account.resident_end_mib, 1),
            "disk_bytes_per_changeset": round(account.disk_bytes_per_changeset),
        }
    )


if __name__ == "__main__":
    main()
