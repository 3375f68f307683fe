from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runledger.processors.counting import count_commit
from runledger.processors.fold import fold
from runledger.processors.records import Changes
from runledger.processors.run_stage import RunStage
from runledger.processors.settings import ProcessorSettings
from runledger.schemas.outcomes import RunOutcome
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.usage import UsageTotals
from runledger.vitals import Keeper, VitalsSettings, kept_by
from tests.unit.processors.logs import batch, event, record, run_of, state_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OUTCOME = RunOutcome(
    project_key="p",
    agent_id="sage",
    run_id=run_of(0),
    row_id=run_of(1),
    revision=1,
    kind="lifecycle",
    status="success",
    run_status="completed",
    inferred=False,
    silent=False,
    ended_at=NOON,
    logged_at=NOON,
    actions_taken={},
    action_summary=None,
    usage=UsageTotals(total_tokens=10, cost_usd=Decimal("0.5")),
    cost_source="reported",
)


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    keeper = Keeper("processor", VitalsSettings(metrics_port=None))
    with kept_by(keeper):
        yield keeper


def counted(keeper: Keeper, name: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(keeper.meters.exposition().decode())
    samples = [it for family in families for it in family.samples if it.name == name]
    return {tuple(it.labels[label] for label in sorted(it.labels)): it.value for it in samples}


def folded(*events: AnyRunEvent) -> tuple[RunStage, Changes[Any]]:
    stage = RunStage(ProcessorSettings(topic_prefix="t."))
    records = [record(told, offset) for offset, told in enumerate(events)]
    return stage, fold(stage, state_of(stage), [batch(records)])


def test_a_transaction_is_counted_by_what_it_read_and_wrote(keeper: Keeper) -> None:
    stage, changes = folded(event("started", 0, "a"), event("started", 0, "a"), event("ended", 0, "b"))
    count_commit(stage, changes, 0.01, "t.")
    assert counted(keeper, "runledger_records_read_total") == {("run-events",): 3}
    assert counted(keeper, "runledger_records_written_total") == {("runs",): 1, ("run-outcomes",): 1}
    assert counted(keeper, "runledger_duplicates_skipped_total") == {("runs",): 1}
    assert counted(keeper, "runledger_batch_records_sum") == {("runs",): 3}
    assert counted(keeper, "runledger_commit_seconds_count") == {("runs",): 1}


def test_a_tick_is_no_batch(keeper: Keeper) -> None:
    stage, _ = folded(event("started", 0, "a"))
    count_commit(stage, Changes(evicted_early=3), 0.01, "t.")
    assert counted(keeper, "runledger_batch_records_count") == {}
    assert counted(keeper, "runledger_states_evicted_early_total") == {("runs",): 3}


def test_costs_count_once_for_a_run_and_unknown_ones_are_no_zero(keeper: Keeper) -> None:
    stage, _ = folded(event("started", 0, "a"))
    unpriced = replace(OUTCOME, usage=UsageTotals(total_tokens=10), cost_source="unknown", models=("new-model",))
    silent = replace(OUTCOME, usage=UsageTotals(), cost_source="unknown", status="failed")
    revised = replace(OUTCOME, revision=2)
    count_commit(stage, Changes(folded=4, finished=[OUTCOME, revised, unpriced, silent]), 0.01, "t.")
    assert counted(keeper, "runledger_cost_usd_total") == {("reported",): 0.5}
    assert counted(keeper, "runledger_unpriced_runs_total") == {(): 1}
    assert counted(keeper, "runledger_finished_runs_total") == {
        ("reported", "success"): 2,
        ("unknown", "failed"): 1,
        ("unknown", "success"): 1,
    }
