"""How often a kind of failure came back, against a naive recount and against the ledger's own states as they were."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from runledger.schemas.run_events import AnyRunEvent, FailureRecorded, FailureResolved
from tests.integration.sinks.conftest import Ledger
from tests.integration.sinks.story import Story
from tests.integration.sinks.test_failure_groups import emptied, ended, failed, kind_of, resolved, started

pytestmark = pytest.mark.integration


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of one kind of failure.

    Args:
        failures: all of the kind.
        words: times at which somebody said that it was resolved.
        completions: {task: times at which runs completed it}.
    """

    failures: Sequence[FailureRecorded]
    words: Sequence[datetime]
    completions: dict[str, list[datetime]]

    def resolutions(self) -> list[datetime]:
        """Every moment at which it was resolved, in order."""
        found = set(self.words)
        for failure in self.failures:
            after = [at for at in self.completions.get(failure.data.task_id or "", ()) if at > failure.occurred_at]
            found |= {min(after)} if after else set()
        return sorted(found)

    def recurred_at(self) -> list[datetime]:
        """The first failure after each of them, each failure once."""
        later = [[one.occurred_at for one in self.failures if one.occurred_at > at] for at in self.resolutions()]
        return sorted({min(times) for times in later if times})

    def was_resolved(self, at: datetime) -> bool:
        """Whether the ledger would have called it resolved before that moment, or resolved before it ever happened."""
        before = [one for one in self.failures if one.occurred_at < at]
        ways = [word for word in self.words if word < at]
        for task, times in self.completions.items():
            failed_at = [one.occurred_at for one in before if one.data.task_id == task]
            done = [time for time in times if time < at]
            after = [time for time in done if failed_at and time > max(failed_at)]
            since = [time for time in done if failed_at and time > min(failed_at)]
            ways += [min(after)] if after else since and [max(since)]
        return bool(ways) and all(one.occurred_at <= max(ways) for one in before)


def read_told(ledger: Ledger, events: Iterable[AnyRunEvent], kind: str) -> Told:
    distinct = list({(one.run_id, one.event_id): one for one in events}.values())
    completions: dict[str, list[datetime]] = {}
    for task, at in ledger.rows("SELECT task_id, ended_at FROM task_completion"):
        completions.setdefault(task, []).append(at)
    return Told(
        [one for one in distinct if isinstance(one, FailureRecorded) and kind_of(one) == kind],
        [one.occurred_at for one in distinct if isinstance(one, FailureResolved) and one.data.fingerprint == kind],
        completions,
    )


def read_view(ledger: Ledger) -> list[dict[str, Any]]:
    with psycopg.connect(ledger.uri, row_factory=dict_row) as connection:
        return connection.execute("SELECT * FROM failure_recurrence ORDER BY fingerprint").fetchall()


def tell(ledger: Ledger, events: Sequence[AnyRunEvent]) -> list[dict[str, Any]]:
    """Write the story into empty tables, and return what the view makes of it."""
    story = Story()
    story.tell(events)
    emptied(ledger).write(story.records)
    return read_view(ledger)


def days(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(microseconds=1)) / (86400 * 10**6)


def check(row: dict[str, Any], told: Told) -> None:
    """Compare one row with a recount."""
    times = sorted(one.occurred_at for one in told.failures)
    resolutions, recurred = told.resolutions(), told.recurred_at()
    assert row["failures"] == len(times)
    assert (row["first_seen_at"], row["last_seen_at"]) == (times[0], times[-1])
    assert row["runs"] == len({one.run_id for one in told.failures if not one.data.detached})
    assert row["agents"] == len({one.agent_id for one in told.failures} - {None})
    assert row["tasks"] == len({one.data.task_id for one in told.failures} - {None})
    assert (row["resolutions"], row["recurrences"]) == (len(resolutions), len(recurred))
    assert row["last_recurred_at"] == max(recurred, default=None)
    gaps = [days(at - max(one for one in resolutions if one < at)) for at in recurred]
    assert _close(row["mean_days_to_recur"], sum(gaps, Decimal(0)) / len(gaps) if gaps else None)
    between = days(times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else None
    assert _close(row["mean_days_between"], between)
    assert row["recurrences"] >= (row["state"] == "regressed")


def _close(found: Decimal | None, wanted: Decimal | None) -> bool:
    if found is None or wanted is None:
        return found is wanted
    return abs(found - wanted) <= Decimal("0.0005")


_minutes = st.integers(0, 9)
_kinds = st.sampled_from([0, 0, 1])
_runs = st.integers(0, 4)
_tasks = st.sampled_from(["build", "build", "deploy", None])
_events: st.SearchStrategy[AnyRunEvent] = st.one_of(
    st.builds(started, _runs, _minutes, _tasks),
    st.builds(failed, _runs, _minutes, _kinds, _tasks, detached=st.sampled_from([False, False, True])),
    st.builds(resolved, _runs, _minutes, _kinds),
    st.builds(ended, _runs, _minutes, st.sampled_from(["completed", "completed", "failed"])),
)


def test_any_story_equals_a_naive_recount(ledger: Ledger) -> None:
    @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(_events, min_size=4, max_size=16))
    def compare(events: list[AnyRunEvent]) -> None:
        for row in tell(ledger, events):
            check(row, read_told(ledger, events, row["fingerprint"]))

    compare()


@pytest.mark.parametrize("seed", range(12))
def test_where_no_two_things_happen_at_once_a_failure_came_back_if_the_ledger_had_called_it_resolved(
    seed: int, ledger: Ledger
) -> None:
    dice = random.Random(seed)
    events: list[AnyRunEvent] = [started(run, 0, dice.choice(["build", "build", "deploy"])) for run in range(8)]
    runs = dice.sample(range(8), 8)
    for minute in range(1, 24):
        match dice.randrange(4):
            case 0 if runs:
                events.append(ended(runs.pop(), minute))
            case 1:
                events.append(resolved(0, minute))
            case _:
                events.append(failed(dice.randrange(8), minute, 0, dice.choice(["build", "deploy", None])))
    (row,) = tell(ledger, events)
    told = read_told(ledger, events, row["fingerprint"])
    came_back = [one.occurred_at for one in told.failures if told.was_resolved(one.occurred_at)]
    assert told.recurred_at() == sorted(came_back)
    check(row, told)


def test_who_resolved_it_is_told(ledger: Ledger) -> None:
    events: list[AnyRunEvent] = [started(1, 0, "build"), failed(1, 1, 0, "build"), failed(1, 1, 1)]
    events += [ended(1, 2), resolved(2, 3, 1)]
    by_run, by_word = sorted(tell(ledger, events), key=lambda row: row["resolved_by"] or "")
    assert (by_run["state"], by_run["resolved_by_agent_id"], by_run["resolved_by"]) == ("resolved", "sage", None)
    assert by_run["resolved_by_run_id"] == events[0].run_id
    assert (by_word["state"], by_word["resolved_by"], by_word["resolved_by_run_id"]) == ("resolved", "ops", None)
    assert [row["mean_days_between"] for row in (by_run, by_word)] == [None, None]


def test_a_failure_that_was_resolved_and_came_back_twice(ledger: Ledger) -> None:
    day = 24 * 60
    minutes = (0, day, 3 * day)
    events = [
        *(started(run, minute - 1, "import") for run, minute in enumerate(minutes)),
        *(failed(run, minute, 0, "import") for run, minute in enumerate(minutes)),
        *(one for at in (1, day + 1) for one in (started(9 + at, at, "import"), ended(9 + at, at + 1))),
    ]
    shifted = [one.model_copy(update={"occurred_at": one.occurred_at - timedelta(days=4)}) for one in events]
    (row,) = tell(ledger, shifted)
    assert (row["state"], row["failures"], row["resolutions"], row["recurrences"]) == ("regressed", 3, 2, 2)
    assert row["mean_days_to_recur"] == Decimal("1.499")
    assert row["mean_days_between"] == Decimal("1.500")
