"""What is called wrong, and what is said to do about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from runledger.analytics.dashboard.backstage import BrokerLook, LetterSeen, LettersLook, WorkerLook
from runledger.analytics.dashboard.glimpses import Glimpse
from runledger.analytics.dashboard.pages.pipeline_advice import Sight, advise, waiting_letters
from runledger.analytics.dashboard.pages.pipeline_lag import PartitionLag, ReaderLag
from runledger.analytics.pipeline import Pipeline
from runledger.analytics.progress import Outbox

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MEMBERS = {"processor": 1, "sink": 1, "scorer": 1}
BROKER = BrokerLook({}, {}, {}, MEMBERS)
WELL = Sight(
    pipeline=Pipeline("current", NOON, 1.0, NOON),
    outbox=Outbox(0, None),
    broker=Glimpse(BROKER, 0.0),
    workers=Glimpse((WorkerLook("sink", None),), 0.0),
    letters=0,
    lags=(),
    stuck=(),
)


def lag(waiting: int | None, worker: str = "processor", reader: str = "stage 1") -> ReaderLag:
    return ReaderLag(worker, reader, "run-events", (PartitionLag(3, waiting, 7, 9),), None)  # type: ignore[arg-type]  # a worker's name


def letter(project_key: str | None, state: str = "waiting") -> LetterSeen:
    named = ("run-events/0/1", project_key, "run-events", "invalid", "", "", "runs", NOON, 1)
    return LetterSeen(*named, state, None, None)  # type: ignore[arg-type]  # a state's name


def test_nothing_is_said_where_all_is_well() -> None:
    assert advise(WELL) == []
    assert advise(replace(WELL, lags=(lag(5),), outbox=Outbox(3, 59.0))) == []


@pytest.mark.parametrize(
    ("wrong", "words", "command"),
    [
        (
            {"broker": Glimpse(BROKER, 9.0, "the broker at x does not answer")},
            "The broker at x does not answer.",
            "doctor",
        ),
        ({"broker": Glimpse(replace(BROKER, members={**MEMBERS, "sink": 0}), 0.0)}, "No sink runs", "worker sink"),
        ({"workers": Glimpse((WorkerLook("relay", "no answer"),), 0.0)}, "relay: No answer.", "status"),
        ({"lags": (lag(10_000),)}, "10,000 records of run-events wait for stage 1; it goes on", "worker processor"),
        ({"lags": (lag(2),), "stuck": (lag(2),)}, "does not go on (partition 3)", ""),
        ({"pipeline": Pipeline("unknown", None, None, NOON)}, "No watch has ever told", "worker watch"),
        ({"pipeline": Pipeline("behind", NOON, 90.0, NOON)}, "1 min 30 s ago", "worker watch"),
        ({"outbox": Outbox(3, 61.0)}, "3 scoring jobs are not sent, the oldest for 1 min 1 s", "worker relay"),
        ({"outbox": Outbox(10_000, 61.0)}, "10,000 or more", "worker relay"),
        ({"letters": 1}, "1 record was refused and waits", "dlq list"),
        ({"letters": 2}, "2 records were refused and wait", "dlq list"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_said_with_what_to_do(wrong: dict[str, object], words: str, command: str) -> None:
    (advice,) = advise(replace(WELL, **wrong))  # type: ignore[arg-type]  # fields by name
    assert words in advice.what
    assert advice.remedy
    assert advice.command.endswith(command)


def test_a_worker_that_does_not_run_is_said_once_with_what_waits_for_it() -> None:
    gone = Glimpse(replace(BROKER, members={**MEMBERS, "processor": 0}), 0.0)
    stuck = lag(20_000)
    (advice,) = advise(replace(WELL, broker=gone, lags=(stuck,), stuck=(stuck,)))
    assert advice.what == "No processor runs; 20,000 records wait for it."


def test_what_was_seen_before_the_broker_went_away_is_not_judged_any_more() -> None:
    gone = Glimpse(replace(BROKER, members={**MEMBERS, "processor": 0}), 30.0, "the broker does not answer")
    assert len(advise(replace(WELL, broker=gone))) == 1


def test_only_letters_of_the_project_that_wait_are_counted() -> None:
    letters = (letter("acme"), letter("other"), letter(None), letter("acme", "replayed"))
    assert waiting_letters(Glimpse(LettersLook(letters, is_whole=True), 0.0), "acme") == 1
    assert waiting_letters(Glimpse(None, None), "acme") == 0
