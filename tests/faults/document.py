"""docs/reliability.md: what was survived, for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from tests.faults.memory import FLAT_SHARE

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
| O3 | nothing appears that was never sent, or was refused; no run times out before its deadline |
| O4 | tables, topics, HTTP and MCP agree |
| O5 | one job and one score for each finished run |
| O6 | no version and no status goes back |
| O7 | lag and outbox are 0 within 60 s of healing |
| O8 | dead letters are the injected poison, exactly |
| O9 | memory stays bounded |
| verify | `runledger verify` recounts everything by SQL and finds no difference |

`make faults` runs them all; `make test` a short form; `make soak` half an hour of faults at random. The same seed
(`RUNLEDGER_FAULTS_SEED`) makes the same events; of several seeds a row gives the sums, and the longest time. Faults run
beside each other on a busy machine, so seconds are no benchmark.

"""
_SOAK = """
## Half an hour of faults at random

{survived} {events:,} events, {deliveries:,} deliveries of them, in half an hour, while one fault came after
another: parts were killed, stopped past their session, asked to end and joined by guests, the database was slow, cut
and restarted, the broker killed. States left memory after five minutes. Afterwards {oracles} were looked at;
{transactions:,} transactions were lost and done again, {duplicates:,} repeats skipped, {refused:,} late writes refused
by compare-and-set. All had come to rest {heal} s after the last event; a soak is given 240.

Resident memory of each process. One that was killed or asked to end begins anew, with little; processor-3 and sink-3
are guests of five seconds. A processor that takes over every partition restores all states and the window of repeats
at once. The test holds that on average the second half of the time after ten minutes needs at most {share} times what
the first does, all processes of a kind together.

![Resident memory of each process over half an hour](soak-memory.svg)
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
  the test holds on a table keeps a writer in mid-transaction; so the worst moment is met each time, not by luck. A sink
  stopped there goes on just when its heir waits for the same rows.
- **Transactions** of a processor are aborted with all their records in the log, timeouts among them.
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
    short = [line for line in protected if not _is_whole_soak(line)]
    whole = [line for line in protected if _is_whole_soak(line)]
    return _HEAD.format(count=FAULTS) + _table(short) + "".join(map(_soak, whole)) + _harm(unprotected) + _HOW


def _is_whole_soak(line: Line) -> bool:
    return bool(line["name"] == "soak" and not line["scaled"])


def _soak(line: Line) -> str:
    return _SOAK.format(
        survived="Exact." if line["survived"] else "**Not survived.**",
        events=line["events_sent"],
        deliveries=line["deliveries"],
        oracles=", ".join(line["oracles"]),
        transactions=line["transactions_lost"],
        duplicates=line["duplicates_skipped"],
        refused=line["compare_and_set_refused"],
        heal=line["seconds_to_heal"],
        share=FLAT_SHARE,
    )


def _table(lines: Sequence[Line]) -> str:
    forms: dict[tuple[int, str], list[Line]] = defaultdict(list)
    for line in lines:
        forms[line["fault"], str(line["name"])].append(line)
    run = {fault for fault, _ in forms}
    survived = run - {line["fault"] for line in lines if not line["survived"]}
    missing = sorted(set(range(1, FAULTS + 1)) - run)
    seeds = ", ".join(sorted({str(line["seed"]) for line in lines}))
    said = f"{len(survived)} of {FAULTS} survived; seeds {seeds}."
    if missing:
        said += f" Not run: {', '.join(map(str, missing))}."
    head = (
        "| # | fault | survived | events | oracles | aborted | repeats skipped | refused by compare-and-set "
        "| healed in | scaled |\n|---|---|---|---|---|---|---|---|---|---|\n"
    )
    return f"## Results\n\n{said}\n\n{head}{''.join(_row(forms[form]) for form in sorted(forms))}"


def _row(lines: Sequence[Line]) -> str:
    """Sum up the runs of one form of a fault: one for each seed."""

    def total(*names: str) -> int:
        return sum(line[name] for line in lines for name in names)

    survived = total("survived")
    cells = [
        lines[0]["fault"],
        lines[0]["name"],
        "yes" if survived == len(lines) else "**no**" + (f", {survived} of {len(lines)}" if len(lines) > 1 else ""),
        f"{total('events_sent'):,}",
        " ".join(sorted({oracle for line in lines for oracle in line["oracles"]})),
        total("aborted_records", "transactions_lost"),
        total("duplicates_skipped"),
        total("compare_and_set_refused"),
        f"{max(line['seconds_to_heal'] for line in lines)} s",
        lines[0]["scaled"],
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |\n"


def _harm(lines: Sequence[Line]) -> str:
    if not lines:
        return ""
    rows = [
        f"| {line['unprotected'].replace(':', ' of the ')} | {line['fault']}: {line['name']} | {_first(line)} |\n"
        for line in sorted(lines, key=lambda line: (line["unprotected"], line["fault"]))
    ]
    return _UNPROTECTED + "".join(rows)


def _first(line: Line) -> str:
    """Give the kind of the first difference: the oracle, and what it looked at."""
    found = [difference.split(" ", 2)[:2] for difference in line["differences"]]
    return " ".join(found[0]) if found else "the pipeline did not come to rest"
