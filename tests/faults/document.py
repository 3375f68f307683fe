"""docs/reliability.md: what was survived, for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Line: TypeAlias = Mapping[str, Any]

FAULTS = 31
_HEAD = """\
# Reliability

<!-- Written by `make faults`; what you change here goes with the next run. -->

Runledger is tried against {count} kinds of fault on a real broker, a real database and its real worker processes. A
generator keeps its own ledger of what it sent: acknowledged, refused, or unknown. Afterwards the topics, the tables,
HTTP and MCP are compared with a recount of the distinct events that shares no reducer with the product.

| oracle | what must hold |
|---|---|
| O1 | every acknowledged event is in `run_event` or in dead-letters, never in both |
| O2 | totals, outcomes, streaks and incidents equal the recount of the distinct events |
| O3 | nothing appears that was never sent, or was refused |
| O4 | tables, topics, HTTP and MCP agree |
| O5 | one job and one score for each finished run |
| O6 | no version and no status goes back |
| O7 | lag and outbox are 0 within 60 s of healing |
| O8 | dead letters are the injected poison, exactly |
| O9 | memory stays bounded |
| verify | `runledger verify` recounts everything by SQL and finds no difference |

`make faults` runs them all; `make test` a short form; `make soak` half an hour of faults at random. The same seed
(`RUNLEDGER_FAULTS_SEED`) makes the same events. Faults run beside each other on a busy machine, so seconds are no
benchmark.

"""
_UNPROTECTED = """
## What each protection is for

`make faults-unprotected` switches one protection off at a time, and its faults do harm:

| switched off | fault | what differed first |
|---|---|---|
"""
_HOW = """
## How faults are made

- **Processes** are killed (SIGKILL), stopped and continued (SIGSTOP, SIGCONT) or asked to end (SIGTERM). A lock that
  the test holds on a table keeps a writer in mid-transaction; so the worst moment is met each time, not by luck.
- **Answers are lost** by a TCP proxy on loopback: it hands a COMMIT to Postgres, keeps the answer back, and cuts; or it
  drops everything the broker says.
- **A full disk** needs no rights and fills nothing: the file of an empty table leads to `/dev/full`, so that Postgres's
  own write fails with ENOSPC (SQLSTATE 53100).
- **Too many connections**: the role by which the sink logs in has a connection limit of 0 (53300).
- **Servers** of the test's own are restarted or killed. A kill of the broker loses nothing that the operating system
  holds.
- Time-outs are scaled: the table says by how much.
"""


def write(lines: Sequence[Line]) -> str:
    """Write the document.

    Args:
        lines: of the report.
    """
    protected = [line for line in lines if not line["unprotected"]]
    unprotected = [line for line in lines if line["unprotected"]]
    return _HEAD.format(count=FAULTS) + _table(protected) + _harm(unprotected) + _HOW


def _table(lines: Sequence[Line]) -> str:
    names: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        names[line["fault"]].append(line)
    survived = sum(all(line["survived"] for line in names[number]) for number in names)
    seeds = ", ".join(sorted({str(line["seed"]) for line in lines}))
    rows = [
        _row(line) for number in sorted(names) for line in sorted(names[number], key=lambda line: str(line["name"]))
    ]
    missing = sorted(set(range(1, FAULTS + 1)) - names.keys())
    said = f"{survived} of {FAULTS} survived; seeds {seeds}."
    if missing:
        said += f" Not run: {', '.join(map(str, missing))}."
    head = (
        "| # | fault | survived | events | oracles | aborted | repeats skipped | refused by compare-and-set "
        "| healed in | scaled |\n|---|---|---|---|---|---|---|---|---|---|\n"
    )
    return f"## Results\n\n{said}\n\n{head}{''.join(rows)}"


def _name(line: Line) -> str:
    return str(line["name"])


def _row(line: Line) -> str:
    oracles = " ".join(line["oracles"])
    cells = [
        line["fault"],
        line["name"],
        "yes" if line["survived"] else "**no**",
        f"{line['events_sent']:,}",
        oracles,
        line["aborted_records"] + line["transactions_lost"],
        line["duplicates_skipped"],
        line["compare_and_set_refused"],
        f"{line['seconds_to_heal']} s",
        line["scaled"],
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |\n"


def _harm(lines: Sequence[Line]) -> str:
    if not lines:
        return ""
    rows = [
        f"| {line['unprotected']} | {line['fault']}: {line['name']} | {_first(line)} |\n"
        for line in sorted(lines, key=lambda line: (line["unprotected"], line["fault"]))
    ]
    return _UNPROTECTED + "".join(rows)


def _first(line: Line) -> str:
    """Give the kind of the first difference: the oracle, and what it looked at."""
    found = [difference.split(" ", 2)[:2] for difference in line["differences"]]
    return " ".join(found[0]) if found else "the pipeline did not come to rest"
