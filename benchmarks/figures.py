"""Figures in the hand-written pages: tables between two marks, written anew from results.json after each run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.arithmetic import day_table

Results: TypeAlias = Mapping[str, Any]

PAGES = ("performance.md", "scaling.md")
NOT_MEASURED = "*Not measured yet.*"
_BLOCK = re.compile(r"(<!-- figures: ([a-z-]+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)
_LIMITS = (
    ("read a topic with librdkafka, do nothing", "B10", ("consume_per_second",), "events/s"),
    ("our engine: decode JSON, sum, commit durably", "B1", ("ours",), "events/s"),
    ("our ledger: the whole of stage 1", "B2", ("ours",), "events/s"),
    ("produce the same bytes with librdkafka", "B3", ("peers", "confluent-kafka", "value"), "events/s"),
    ("our SDK: build, check, mask, encode, produce", "B3", ("ours",), "events/s"),
    ("COPY of the sink's rows, keys and indexes in place", "B4", ("peers", "copy", "value"), "rows/s"),
    ("our sink, from the topics to the same rows", "B4", ("ours",), "rows/s"),
    ("the whole pipeline, until the last row stands", "B5", ("ours",), "events/s"),
)


def renew(folder: Path, results: Results) -> None:
    """Write the figures of the pages in a folder anew; a page that is not there is left out."""
    for name in PAGES:
        page = folder / name
        if page.exists():
            page.write_text(fill(page.read_text(encoding="utf-8"), results), encoding="utf-8")


def fill(text: str, results: Results) -> str:
    """Put the tables between the marks `<!-- figures: NAME -->` and `<!-- end of figures -->`.

    Raises:
        KeyError: a mark names no table.
    """
    return _BLOCK.sub(lambda block: f"{block[1]}{BLOCKS[block[2]](results) or NOT_MEASURED}\n{block[3]}", text)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    rule = "|".join("---" if number == 0 else "---:" for number in range(len(head)))
    return "\n".join(f"| {' | '.join(row)} |" if row is not None else f"|{rule}|" for row in (head, None, *rows))


def _at(results: Results, name: str, path: tuple[str, ...]) -> Any:  # noqa: ANN401  # whatever results.json holds there
    found: Any = results.get(name)
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def limits(results: Results) -> str:
    """What the libraries below us do alone, beside us."""
    rows = [
        (what, f"{value:,.0f} {unit}", name)
        for what, name, path, unit in _LIMITS
        if (value := _at(results, name, path))
    ]
    return _table(("what", "rate", "from"), rows)


def parts(results: Results) -> str:
    """Microseconds of CPU for each event, by process and part."""
    tables = []
    for process, found in (_at(results, "profile", ("micros_per_event",)) or {}).items():
        whole = sum(found.values())
        rows = [(part, f"{micros:.1f}", f"{micros / whole:.0%}") for part, micros in found.items()]
        rows.append(("**in all**", f"**{whole:.1f}**", ""))
        tables.append(_table((process, "µs an event", "share"), rows))
    return "\n\n".join(tables)


def cost(results: Results) -> str:
    """CPU seconds for a million events, by process, and what a core could do at most."""
    found = _at(results, "B10", ("cpu_seconds_per_million_events",)) or {}
    whole = sum(found.values())
    rows = [(name, f"{value:g}") for name, value in found.items()]
    if whole:
        rows.append(("**in all**", f"**{whole:.1f}**: {1e6 / whole:,.0f} events/s a core at most"))
    return _table(("process", "CPU seconds for a million events"), rows)


def room(results: Results) -> str:
    """Bytes of records and rows."""
    topics, tables = _at(results, "B10", ("topics",)) or {}, _at(results, "B10", ("tables",)) or {}
    rows = [
        (f"topic `{name}`", f"{held['plain_bytes']:,.0f}", f"{held['stored_bytes']:,.0f}")
        for name, held in topics.items()
    ]
    rows += [(f"table `{name}`", "", f"{held['bytes_per_row']:,.0f}") for name, held in tables.items()]
    return _table(("record or row", "bytes of key and value", "bytes as stored"), rows)


def growth(results: Results) -> str:
    """Rates and memory by open runs and processors."""
    rates, memory = _at(results, "growth", ("events_per_second",)), _at(results, "growth", ("processors_memory_mib",))
    if not rates or not memory:
        return ""
    counts = list(next(iter(rates.values())))
    head = ("", *(f"{count.removeprefix('x')} processor{'s' if count != 'x1' else ''}" for count in counts))
    rows = [
        (runs, *(f"{found[count]:,} events/s, {memory[runs][count]:,} MiB" for count in counts))
        for runs, found in rates.items()
    ]
    return _table(head, rows)


def recovery(results: Results) -> str:
    """What B7 measured."""
    found = results.get("B7")
    if not found or found.get("error"):
        return ""
    rows = [
        ("open runs", f"{found['open_runs']:,}"),
        ("records that the processors wrote to the changelog", f"{found['changelog_records_written']:,}"),
        ("processors", str(found["processors"])),
        ("from assignment to the last store's opening", f"{found['restore_seconds']:.1f} s"),
        ("from start until caught up", f"{found['ours']:.1f} s"),
    ]
    return _table(("recovery after `kill -9` (B7)", ""), rows)


BLOCKS: Mapping[str, Callable[[Results], str]] = {
    "limits": limits,
    "parts": parts,
    "cost": cost,
    "room": room,
    "growth": growth,
    "recovery": recovery,
    "day": day_table,
}
