"""What may be asked of the list of runs, and how it stands in the address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from pydantic import ValidationError

from runledger.analytics.dashboard.pages.run_question import SPANS, RunsQuestion
from runledger.analytics.run_list import RunFilter

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RUN = UUID("0193c6f2-6b1e-7cc0-8a3e-0e9d3a3f6a10")
FULL = {
    "run": "0193c6f2",
    "agent": "sage",
    "status": "failed",
    "outcome": "partial",
    "kind": "lifecycle",
    "task": "a b&c",
    "parent": str(RUN),
    "silent": "yes",
    "since": "2026-02-28T10:00:00",
    "until": "2026-03-01T10:00:00",
    "sort": "-cost_usd",
}


def test_nothing_asked_is_every_run() -> None:
    assert RunsQuestion().wanted(NOON) == RunFilter()
    assert RunsQuestion().address() == {}


def test_every_filter_is_handed_on() -> None:
    assert RunsQuestion.model_validate(FULL).wanted(NOON) == RunFilter(
        agent_id="sage",
        status="failed",
        outcome="partial",
        kind="lifecycle",
        task_id="a b&c",
        parent_run_id=RUN,
        since=datetime(2026, 2, 28, 10, tzinfo=UTC),
        until=datetime(2026, 3, 1, 10, tzinfo=UTC),
        silent=True,
        first_run_id=UUID("0193c6f2-0000-0000-0000-000000000000"),
        last_run_id=UUID("0193c6f2-ffff-ffff-ffff-ffffffffffff"),
    )


def test_the_address_asks_the_same_again() -> None:
    question = RunsQuestion.model_validate(FULL)
    assert question.address() == FULL
    assert RunsQuestion.model_validate(question.address()) == question


def test_what_a_form_sends_empty_is_not_asked() -> None:
    assert RunsQuestion.model_validate(dict.fromkeys(FULL, "")) == RunsQuestion()


def test_a_place_is_no_part_of_the_address() -> None:
    assert RunsQuestion(agent="sage", cursor="abc").address() == {"agent": "sage"}


@pytest.mark.parametrize("span", SPANS)
def test_within_counts_from_now(span: str) -> None:
    wanted = RunsQuestion.model_validate({"within": span}).wanted(NOON)
    assert wanted == RunFilter(since=NOON - SPANS[span][1])


def test_of_since_and_within_the_later_holds() -> None:
    early = RunsQuestion.model_validate({"within": "1h", "since": "2026-02-28"})
    late = RunsQuestion.model_validate({"within": "1h", "since": "2026-03-01T11:55"})
    assert early.wanted(NOON).since == NOON - timedelta(hours=1)
    assert late.wanted(NOON).since == NOON - timedelta(minutes=5)


@pytest.mark.parametrize("given", [str(RUN), RUN.hex.upper(), f" {RUN} "])
def test_a_whole_id_names_one_run(given: str) -> None:
    assert RunsQuestion.model_validate({"run": given}).run_id == RUN


def test_a_part_of_an_id_names_none() -> None:
    assert RunsQuestion.model_validate({"run": "0193c6f2-6b1e-7"}).run_id is None


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T12:30", datetime(2026, 3, 1, 12, 30, tzinfo=UTC)),
        ("2026-03-01T12:30:15.25", datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)),
        ("2026-03-01T12:30:00+02:00", datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_a_time_without_a_zone_is_in_utc(given: str, moment: datetime) -> None:
    assert RunsQuestion.model_validate({"since": given}).since == moment


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("run", "not-hex"),
        ("run", "0" * 33),
        ("agent", "a\x00b"),
        ("status", "tired"),
        ("parent", "0193c6f2"),
        ("silent", "maybe"),
        ("within", "2h"),
        ("since", "5"),
        ("since", "2026-02-30T00:00"),
        ("until", "yesterday"),
        ("sort", "mood"),
        ("cursor", "a b"),
        ("agnet", "sage"),
    ],
)
def test_anything_else_is_refused_by_name(name: str, given: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RunsQuestion.model_validate({name: given})
    assert [error["loc"][0] for error in caught.value.errors()] == [name]
