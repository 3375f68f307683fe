"""Recount everything from run_event by SQL alone, and name every difference.

The recount tells the rules of docs/ledger.md a second time, without a line of the processors' code: a mistake there and
a row changed by hand both show. What it cannot see is in `Report`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from runledger.sinks.statements import statement

_RECOUNT = {
    "recount_exceptions": "unrecounted_run",
    "recount_events": "recounted_event",
    "recount_ends": "recounted_end",
    "recount_usage": "recounted_usage",
    "recount_runs": "recounted_run",
    "recount_streaks": "recounted_streak",
    "recount_uncompared_agents": "uncompared_agent",
}
"""{statement: temporary table it makes}, each built from those before it."""
_CHECKS = (
    "verify_runs",
    "verify_run_log",
    "verify_streaks",
    "verify_agents",
    "verify_failures",
    "verify_resolutions",
    "verify_failure_states",
    "verify_scores",
    "verify_rollup",
    "verify_positions",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that stands otherwise than it was counted.

    Args:
        kind: a stable name of what is wrong.
        project_key: project concerned; empty where none is.
        subject: the run, the agent or the fingerprint.
        field: column, or table where a whole row is missing or too many.
        expected: what the recount says, as text; None for unknown.
        found: what stands in the table.
    """

    kind: str
    project_key: str
    subject: str
    field: str
    expected: str | None
    found: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """What was recounted, and every difference.

    Not seen: deletion of deliveries that change nothing (repeats, void timeouts), as offsets have natural
    gaps; which of an agent's runs came too late to count, and incidents, as both depend on the order of arrival; and
    columns that only say where a number came from (cost_source and its like).

    Args:
        runs: runs recounted.
        deliveries: rows of run_event.
        events: distinct events that tell something of a run.
        logged_runs: rows of agent_run_log.
        agents: rows of agent_health.
        late_events: events that came after their run had left memory; a class of its own, no difference.
        late_runs: runs that have such events.
        costs_not_compared: runs some of whose cost was estimated, which SQL cannot.
        agents_not_compared: agents whose streaks the tables cannot tell (an erased, twice-lived or late-revised run).
        pruned_runs: runs that were pruned: they are counted in figures, and recounted nowhere.
        runs_not_recounted: runs whose beginning the tables never held (a position set by hand).
        differences: in no particular order; empty when all is well.
    """

    runs: int
    deliveries: int
    events: int
    logged_runs: int
    agents: int
    late_events: int
    late_runs: int
    costs_not_compared: int
    agents_not_compared: int
    pruned_runs: int
    runs_not_recounted: int
    differences: tuple[Difference, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def verify(
    connection: psycopg.Connection[Any], progress: Callable[[int, int], None] = lambda _done, _of: None
) -> Report:
    """Recount all runs, streaks, failures with the states of their groups, and scores, and compare.

    Works on one snapshot of the database, so that a sink may go on writing meanwhile; but a run whose events were
    written and whose snapshot is still under way is a difference: let the pipeline come to rest first.

    Args:
        connection: outside any transaction; it needs the right to make temporary tables, and writes nothing else.
        progress: called with (statements done, statements in all).

    Raises:
        psycopg.Error: the database cannot be asked.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")
        steps = len(_RECOUNT) + len(_CHECKS)
        for done, (name, table) in enumerate(_RECOUNT.items()):
            progress(done, steps)
            cursor.execute(statement(name))
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
        differences: list[Difference] = []
        for done, name in enumerate(_CHECKS, len(_RECOUNT)):
            progress(done, steps)
            differences += (Difference(*row) for row in cursor.execute(statement(name)).fetchall())
        counts = connection.cursor(row_factory=dict_row).execute(statement("verify_counts")).fetchone()
    return Report(**counts or {}, differences=tuple(differences))
