"""From finished runs, as the ledger has them, to the cells of a strip."""

from __future__ import annotations

from collections.abc import Iterable

from runledger.analytics.agent_story import AgentOutcome
from runledger.analytics.dashboard.charts.strip import Cell, CellKind
from runledger.analytics.dashboard.formats import exact
from runledger.analytics.dashboard.rendering import link
from runledger.analytics.strips import StripOutcome


def kind_of(outcome: StripOutcome | AgentOutcome) -> CellKind:
    """Say how a run ended: one that failed because we gave it up has timed out."""
    return "timed_out" if outcome.status == "failed" and outcome.inferred else outcome.status


def make_cells(outcomes: Iterable[StripOutcome | AgentOutcome]) -> list[Cell]:
    """Make a cell of each run, which leads to the run's own page."""
    return [
        Cell(
            kind=kind_of(outcome),
            silent=outcome.silent,
            label=f"{_say(outcome)}, {exact(outcome.ended_at)}",
            href=link("/runs", outcome.run_id),
        )
        for outcome in outcomes
    ]


def _say(outcome: StripOutcome | AgentOutcome) -> str:
    said = kind_of(outcome).replace("_", " ")
    return f"{said}, silent" if outcome.silent else said
