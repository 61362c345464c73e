"""The results as Markdown, all of it for `bench/results/` and the chief figures for the README."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

Results = dict[str, Any]
"""What `bench/results/beside.json` holds."""

BEGIN, END = "<!-- make bench writes from here -->", "<!-- to here -->"
ADR = "[ADR 0022](../../docs/adr/0022-beside-the-peers.md)"
LACKING = "-"


def whole(results: Results) -> str:
    """Return every figure."""
    parts = [
        "# Beside the peers",
        f"Written by `make bench` ({results['plan']} run). What is measured, and how: {ADR}.",
        _bullets(results["machine"]),
        "## The servers",
        _servers(results),
        "## The work",
        *_work_tables(results),
        "## The floor",
        _floor(results),
        "![requests a second](beside-rate.svg)",
        "![CPU](beside-cpu.svg)",
        "![latency](beside-latency.svg)",
    ]
    return "\n\n".join(parts) + "\n"


def chief(results: Results) -> str:
    """Return what the README shows."""
    servers = [server for server in results["servers"] if "" not in server["cannot"]]
    absent = (f"{one['name']} is not here: {one['note']}." for one in results["servers"] if "" in one["cannot"])
    parts = [
        " ".join([_circumstances(results), *absent]),
        "Requests a second · p99 in ms · server CPU in ms for each, in a closed loop; at a given rate, in an open one:",
        _chief_table(results, servers, _cell, is_bulk=False),
        "Seconds · server CPU seconds, for all of it:",
        _chief_table(results, servers, _bulk_cell, is_bulk=True),
        "What stands behind these figures:",
        _facts(servers),
        f"The floor, in the same run. {_push_floor(results)}",
        _floor(results),
    ]
    return "\n\n".join(parts)


def _circumstances(results: Results) -> str:
    machine = results["machine"]
    shares = [one["generator_cpu_share"] for one in results["figures"] if one.get("loop") and "cannot" not in one]
    return (
        f"{machine['date']}, {machine['cpu']}, {machine['kernel']}, {machine['file system of the data']}, "
        f"load {machine['load']} before it began, {results['plan']} run. "
        f"The load generator took {max(shares):.0%} of a core at most."
    )


def _chief_table(results: Results, servers: Sequence[Results], tell: Callable[[Results], str], *, is_bulk: bool) -> str:
    bulks = {one["work"] for one in results["figures"] if "bulk_seconds" in one}
    works = [work for work in _works(results) if not work.endswith("%") and (work in bulks) == is_bulk]
    names = [server["name"] for server in servers]
    return _table(["", *names], [[work, *(tell(_find(results, work, name)) for name in names)] for work in works])


def _facts(servers: Sequence[Results]) -> str:
    facts: list[tuple[str, Callable[[Results], str]]] = [
        ("a push is durable before the answer", _durable),
        ("fsyncs per push: alone, 20 at once", _syncs),
        ("checks signatures", lambda server: server["signatures"].partition(" ")[0].rstrip(":")),
        ("memory at start, with the full vault, at end, MiB", _memory),
        ("disk, bytes per changeset", lambda server: _number(server["disk_bytes_per_changeset"])),
        ("syncs a second that the disk did just before", lambda server: _number(server["disk_syncs_per_second"])),
    ]
    rows = [[name, *(tell(server) for server in servers)] for name, tell in facts]
    return _table(["", *(server["name"] for server in servers)], rows)


def _push_floor(results: Results) -> str:
    least = _number(push_floor_ms(results))
    return f"A push alone takes a signature, a durable commit and an answer: {least} ms of CPU at least."


def push_floor_ms(results: Results) -> float:
    """Return the least CPU of a push: each part of it alone, and the cheapest bare answer."""
    parts: float = sum(one["cpu_ms_each"] for one in results["floor"] if one["is_of_a_push"])
    answer: float = min(one["cpu_seconds_per_1000"] for one in results["bare"])
    return parts + answer


def fill(readme: Path, section: str) -> None:
    """Put a section between the markers. Raises ValueError where they are not there once each, in order."""
    text = readme.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"{readme.name} has no place for the figures")
    readme.write_text(f"{before}{BEGIN}\n\n{section}\n\n{END}{after}", "utf-8")


def _servers(results: Results) -> str:
    heads = [
        "",
        "version",
        "signatures",
        "a push is durable before the answer",
        "fsyncs per push: alone, 20 at once",
        "memory at start, with the full vault, at end (MiB)",
    ]
    rows = [
        [
            server["name"],
            server["version"],
            server["signatures"] or LACKING,
            _durable(server),
            _syncs(server),
            _memory(server),
            _number(server.get("disk_bytes_per_changeset")),
            server["page"] or LACKING,
            server["note"],
        ]
        for server in results["servers"]
    ]
    return _table([*heads, "disk per changeset (bytes)", "a page", "note"], rows)


def _work_tables(results: Results) -> Iterable[str]:
    heads = [
        "",
        "loop",
        "requests",
        "offered/s",
        "answered/s",
        "seconds",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "CPU s per 1,000",
        "generator's CPU",
    ]
    for work in _works(results):
        figures = [figure for figure in results["figures"] if figure["work"] == work]
        yield f"**{work}**\n\n" + _table(heads, [_work_row(figure) for figure in figures])


def _work_row(figure: Results) -> list[str]:
    if "cannot" in figure:
        return [figure["relay"], figure["cannot"], *[LACKING] * 9]
    names = ["offered_per_second", "per_second", "seconds", "p50_ms", "p95_ms", "p99_ms", "cpu_seconds_per_1000"]
    return [
        figure["relay"],
        figure["loop"],
        _done(figure),
        *(_number(figure.get(name)) for name in names),
        f"{figure['generator_cpu_share']:.0%}",
    ]


def _floor(results: Results) -> str:
    rows = [[one["what"], _number(one["per_second"]), LACKING, _number(one["cpu_ms_each"])] for one in results["floor"]]
    rows += [
        [
            f"{one['relay']}, {one['work']}",
            _number(one["per_second"]),
            _number(one["p99_ms"]),
            _number(one["cpu_seconds_per_1000"]),
        ]
        for one in results["bare"]
    ]
    return _table(["", "a second", "p99 ms", "CPU ms each"], rows)


def _works(results: Results) -> list[str]:
    return list(dict.fromkeys(figure["work"] for figure in results["figures"]))


def _find(results: Results, work: str, relay: str) -> Results:
    found = [one for one in results["figures"] if (one["work"], one["relay"]) == (work, relay)]
    return found[0] if found else {"cannot": LACKING}


def _cell(figure: Results) -> str:
    if "cannot" in figure:
        return str(figure["cannot"])
    return " · ".join(_number(figure[name]) for name in ("per_second", "p99_ms", "cpu_seconds_per_1000"))


def _done(figure: Results) -> str:
    done, asked = figure["requests"], figure["asked"]
    return _number(done) if done == asked else f"{_number(done)} of {_number(asked)}"


def _bulk_cell(figure: Results) -> str:
    if "cannot" in figure:
        return str(figure["cannot"])
    if "bulk_seconds" not in figure:
        return f"{_done(figure)} requests in {_number(figure['seconds'])} s"
    return f"{_number(figure['bulk_seconds'])} · {_number(figure['bulk_cpu_seconds'])}"


def _syncs(server: Results) -> str:
    durability = server.get("durability")
    if durability is None:
        return LACKING
    return f"{_number(durability['syncs_per_push'])}, {_number(durability['syncs_per_push_together'])}"


def _durable(server: Results) -> str:
    durability = server.get("durability")
    if durability is None:
        return LACKING
    share = durability["synced_before_answer"]
    return "yes" if share == 1 else f"no: {share:.0%} of pushes were synced"


def _memory(server: Results) -> str:
    names = ("resident_start_mib", "resident_deep_mib", "resident_end_mib")
    return ", ".join(f"{server[name]:.0f}" for name in names) if names[0] in server else LACKING


def _number(value: float | None) -> str:
    if value is None:
        return LACKING
    if value >= 100 or isinstance(value, int):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _bullets(told: dict[str, str]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in told.items())


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
