"""What an outcome carries, and what makes it worth saying again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from runledger.processors.outcomes import digest, outcome_of
from runledger.schemas.identifiers import row_id
from runledger.schemas.outcomes import RunOutcome
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.usage import UsageTotals
from tests.unit.processors.histories import LOGGED, NOON, RUN, at, ended, failed, fold, one, started, used

EVENTS: list[AnyRunEvent] = [
    started(task_id="t"),
    used(input_tokens=10, output_tokens=5, cost_usd=0.1, model="flat", traces=2),
    failed(),
    ended(summary="done", meta={"n": 1}),
]


def test_an_outcome_carries_what_is_known_of_the_run() -> None:
    _, [outcome] = fold(EVENTS)
    assert outcome == RunOutcome(
        project_key="p",
        agent_id="sage",
        run_id=RUN,
        row_id=row_id("p", RUN),
        revision=1,
        kind="lifecycle",
        status="success",
        run_status="completed",
        inferred=False,
        silent=False,
        ended_at=NOON + timedelta(seconds=60),
        logged_at=at(3).logged_at,
        actions_taken={"n": 1, "summary": "done"},
        action_summary="done",
        usage=UsageTotals(10, 5, 15, Decimal("0.1")),
        cost_source="reported",
        started_at=NOON,
        failures=1,
        traces=2,
        models=("flat",),
    )


def test_a_running_run_has_no_outcome() -> None:
    assert outcome_of(one([started()]), "sage", 1) is None


@pytest.mark.parametrize(
    "change",
    [
        {"agent_id": "nova"},
        {"kind": "log"},
        {"status": "failed"},
        {"run_status": "failed"},
        {"inferred": True},
        {"silent": True},
        {"ended_at": LOGGED},
        {"actions_taken": {"n": 2}},
        {"action_summary": None},
    ],
)
def test_a_digest_changes_with_what_the_outcome_says(change: dict[str, object]) -> None:
    _, [outcome] = fold(EVENTS)
    assert digest(replace(outcome, **change)) != digest(outcome)  # type: ignore[arg-type]  # fields of an outcome


@pytest.mark.parametrize(
    "change",
    [
        {"revision": 2},
        {"usage": UsageTotals()},
        {"started_at": None},
        {"failures": 9},
        {"traces": 9},
        {"logged_at": NOON},
        {"actions_taken": {"summary": "done", "n": 1}},
    ],
)
def test_a_digest_stays_where_only_totals_or_places_change(change: dict[str, object]) -> None:
    _, [outcome] = fold(EVENTS)
    assert digest(replace(outcome, **change)) == digest(outcome)  # type: ignore[arg-type]  # fields of an outcome
