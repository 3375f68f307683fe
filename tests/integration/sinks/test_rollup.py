"""Figures by quarters of an hour say what a count of agent_run_log says, whatever is written, replayed or erased."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args
from uuid import UUID

import pytest
from msgspec.structs import replace as changed

from runledger.schemas.identifiers import job_id
from runledger.schemas.outcomes import OutcomeStatus
from runledger.schemas.run_events import RunErased
from runledger.schemas.scoring import DEFAULT_RUBRIC, RunScored
from runledger.schemas.topics import RUN_LOG, RUN_SCORES
from runledger.sinks.batch import fold
from runledger.sinks.offsets import Position
from runledger.sinks.records import Record
from runledger.sinks.settings import SinkSettings
from runledger.sinks.verify import verify
from runledger.sinks.writer import Writer
from tests.integration.sinks.conftest import Ledger
from tests.unit.sinks.build import (
    NOON,
    PROJECT,
    event_record,
    logged_record,
    outcome,
    run_number,
    score,
    score_record,
    source,
)

pytestmark = pytest.mark.integration

_STATUSES: tuple[OutcomeStatus, ...] = get_args(OutcomeStatus)
_FIGURES = """
SELECT sum(runs)::int, sum(success)::int, sum(partial)::int, sum(failed)::int, sum(scored)::int, sum(score_sum)
FROM run_rollup
"""


def _figures(ledger: Ledger) -> tuple[object, ...]:
    return ledger.rows(_FIGURES)[0]


def _tasks_completed(ledger: Ledger, since: datetime) -> tuple[int, int]:
    """Count as the agent run log's document does, and as the rollup does: from the start of a quarter on."""
    of_document = ledger.rows(
        "SELECT COUNT(*) FROM agent_run_log WHERE status = 'success' AND created_at >= %s AND project_key = %s",
        since,
        PROJECT,
    )
    of_rollup = ledger.rows(
        "SELECT coalesce(sum(success), 0)::int FROM run_rollup WHERE quarter >= %s AND project_key = %s", since, PROJECT
    )
    return of_document[0][0], of_rollup[0][0]


def _quarter(at: datetime) -> datetime:
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def _erase(ledger: Ledger, offset: int, run: int) -> None:
    order = RunErased(event_id=f"erase-{run}", project_key=PROJECT, run_id=run_number(run), occurred_at=NOON)
    ledger.write([event_record(offset, order)])


def _another_score(run: int, overall: float, *, minutes: int) -> RunScored:
    """Return a score by another rubric, given so many minutes after the usual one."""
    usual = score(run, overall=overall)
    other = "other.v1"
    return replace(
        usual, rubric=other, job_id=job_id(usual.row_id, other), scored_at=usual.scored_at + timedelta(minutes=minutes)
    )


def _anything(dice: random.Random, runs: int) -> tuple[str, int, Record]:
    run = dice.randrange(runs)
    if dice.random() < 0.5:
        said = outcome(run, revision=dice.randint(1, 4), status=dice.choice(_STATUSES))
        return "run-log", run, logged_record(0, said)
    overall = dice.choice([0.0, 0.1, 0.7, 1.0, 0.30000000000000004])
    given = _another_score(run, overall, minutes=dice.choice([-5, 5])) if dice.random() < 0.5 else score(run)
    return "run-scores", run, score_record(0, given)


@pytest.mark.parametrize("seed", range(4))
def test_figures_equal_a_count_of_the_rows_whatever_is_written_and_erased(ledger: Ledger, seed: int) -> None:
    dice = random.Random(seed)
    offsets = {"run-log": 0, "run-scores": 0}
    for step in range(12):
        records = []
        for _ in range(dice.randint(1, 15)):
            topic, _, made = _anything(dice, 12)
            records.append(changed(made, offset=offsets[topic]))
            offsets[topic] += 1
        ledger.write(records)
        if step % 4 == 3:
            _erase(ledger, step, dice.randrange(12))
        if step % 3 == 2:  # a replay of the same records, as from the beginning of the topics
            ledger.write(records)
        assert [one for one in verify(ledger.connection).differences if one.kind == "rollup_differs"] == []
        found, counted = _tasks_completed(ledger, datetime(2020, 1, 1, tzinfo=UTC))
        assert found == counted
        assert _tasks_completed(ledger, _quarter(datetime.now(UTC)))[0] <= found


def test_a_row_counts_in_the_quarter_of_its_insertion_whenever_it_is_revised(ledger: Ledger) -> None:
    """Not in that of its run, nor of its revision."""
    ledger.write([logged_record(0, outcome(1, status="failed"))])
    ledger.connection.execute(
        "UPDATE agent_run_log SET created_at = '2026-03-01 23:59:59+05:45';"
        "UPDATE run_rollup SET quarter = '2026-03-01 18:00:00+00'"
    )
    ledger.write([logged_record(1, outcome(1, revision=2, status="success")), score_record(0, score(1))])
    found = ledger.rows("SELECT quarter, runs, success, failed, scored FROM run_rollup")
    assert found == [(datetime(2026, 3, 1, 18, tzinfo=UTC), 1, 1, 0, 1)]
    midnight = datetime.fromisoformat("2026-03-01T00:00:00+05:45")
    assert _tasks_completed(ledger, midnight) == (1, 1)
    assert _tasks_completed(ledger, midnight + timedelta(days=1)) == (0, 0)
    assert verify(ledger.connection).differences != ()  # this run has no events, but its figures are right
    assert "rollup_differs" not in {one.kind for one in verify(ledger.connection).differences}


@pytest.mark.parametrize("order", [("row", "score"), ("score", "row"), ("both",)])
def test_a_score_counts_once_whichever_comes_first(ledger: Ledger, order: tuple[str, ...]) -> None:
    row, scored = logged_record(0, outcome(1)), score_record(0, score(1, overall=0.1))
    steps = {"row": [row], "score": [scored], "both": [row, scored]}
    for step in order:
        ledger.write(steps[step])
    ledger.write(steps["both"])
    ledger.write([score_record(1, score(1, overall=0.9))])  # the same job answered again: the first answer counts
    assert _figures(ledger) == (1, 1, 0, 0, 1, Decimal("0.1"))


def test_an_earlier_score_takes_the_place_of_the_one_that_counted(ledger: Ledger) -> None:
    ledger.write([logged_record(0, outcome(1)), logged_record(1, outcome(2))])
    ledger.write([score_record(0, score(1, overall=0.1)), score_record(1, score(2, overall=0.2))])
    ledger.write([score_record(2, _another_score(1, 0.9, minutes=5))])
    assert _figures(ledger) == (2, 2, 0, 0, 2, Decimal("0.3"))
    ledger.write([score_record(3, replace(_another_score(1, 0.7, minutes=-5), job_id=UUID(int=1)))])
    assert _figures(ledger) == (2, 2, 0, 0, 2, Decimal("0.9"))


def test_scores_add_up_without_a_rounding(ledger: Ledger) -> None:
    for run in range(10):
        ledger.write([logged_record(run, outcome(run)), score_record(run, score(run, overall=0.1))])
    assert _figures(ledger)[-1] == Decimal("1.0")


def test_an_erased_run_leaves_the_figures_with_its_score(ledger: Ledger) -> None:
    ledger.write([logged_record(0, replace(outcome(1), logged_at=NOON)), logged_record(1, outcome(2, status="failed"))])
    ledger.write([score_record(0, score(1, overall=0.1)), score_record(1, score(2, overall=0.4))])
    _erase(ledger, 0, 1)
    _erase(ledger, 1, 1)
    assert _figures(ledger) == (1, 0, 0, 1, 1, Decimal("0.4"))


def test_two_sinks_on_different_partitions_add_up(ledger: Ledger) -> None:
    """One has rows of partition 0 and scores, the other rows of partition 1; none waits for the other for good."""
    rounds = 30
    other = Writer(SinkSettings(postgres=ledger.uri))
    first = {source(RUN_LOG): 0, source(RUN_SCORES): 0}
    second = {source(RUN_LOG, 1): 0}
    ledger.writer.open_positions(dict.fromkeys([*first, *second], Position(0, "topic-id", 4)))
    together = threading.Barrier(2)
    failures: list[BaseException] = []

    def write_second() -> None:
        try:
            for number in range(rounds):
                batch = fold([changed(logged_record(number, outcome(1000 + number)), partition=1)], DEFAULT_RUBRIC)
                together.wait(30)
                other.write(batch, second)
                second.update(batch.moves)
        except BaseException as error:
            failures.append(error)
            together.abort()
            raise

    thread = threading.Thread(target=write_second)
    thread.start()
    for number in range(rounds):
        # Scores of its own rows, and of rows of the other partition that may not be there yet.
        said = score_record(number, score(number if number % 2 else 1000 + number, overall=0.1))
        batch = fold([logged_record(number, outcome(number)), said], DEFAULT_RUBRIC)
        together.wait(30)
        ledger.writer.write(batch, first)
        first.update(batch.moves)
    thread.join(30)
    other.close()
    assert failures == []
    assert _figures(ledger) == (2 * rounds, 2 * rounds, 0, 0, rounds, Decimal("3.0"))
    assert "rollup_differs" not in {one.kind for one in verify(ledger.connection).differences}
