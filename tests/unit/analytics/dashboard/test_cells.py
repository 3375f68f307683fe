"""From finished runs to the cells of a strip."""

from __future__ import annotations

from runledger.analytics.dashboard.cells import make_cells
from runledger.analytics.strips import StripOutcome
from tests.unit.analytics.dashboard.agents import NOON, outcome, run_id


def test_a_run_that_we_gave_up_has_timed_out_and_its_cell_leads_to_it() -> None:
    cells = make_cells([outcome(1), outcome(2, status="failed", inferred=True, silent=True)])
    assert [(cell.kind, cell.silent, cell.href) for cell in cells] == [
        ("success", False, f"/runs/{run_id(1)}"),
        ("timed_out", True, f"/runs/{run_id(2)}"),
    ]
    assert [cell.label for cell in cells] == [
        "success, 2026-03-07 11:01:00 UTC",
        "timed out, silent, 2026-03-07 11:02:00 UTC",
    ]


def test_the_outcomes_of_a_list_make_the_same_cells() -> None:
    inferred_success = StripOutcome("acme", "sage", run_id(3), "success", silent=False, inferred=True, ended_at=NOON)
    assert [cell.kind for cell in make_cells([inferred_success])] == ["success"]
