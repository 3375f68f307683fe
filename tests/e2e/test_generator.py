"""The kill test's events are as untidy as the laws allow, and come from a seed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from runledger.processors.pricing import estimate_usd
from runledger.schemas.run_events import RunStarted
from tests.e2e.generator import LATENESS, PRODUCERS, Generator
from tests.unit.processors.laws.model import Said, recount

EVENTS = 20_000
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
SAID = ("status", "outcome", "kind", "ended_at")


def test_the_stream_has_repeats_by_any_producer_late_events_and_ends_before_starts() -> None:
    generator = Generator(7, EVENTS)
    stream = list(generator.stream())
    assert len(stream) == len(generator.sent) + generator.duplicates
    assert generator.sent == {(event.run_id, event.event_id) for run in generator.runs for event in run.events}
    assert generator.duplicates > EVENTS / 100
    assert generator.overtaken > EVENTS / 20
    assert generator.ends_first > 10
    assert generator.reports_after_ends > 100
    times = Counter(event.event_id for _, event in stream)
    assert set(times.values()) == {1, 2}
    senders = {event.event_id: {number for number, other in stream if other is event} for _, event in stream[:200]}
    assert {len(found) for found in senders.values()} <= {1, 2}
    assert {number for number, _ in stream} == set(range(PRODUCERS))


def test_a_repeat_comes_soon_enough_to_be_found() -> None:
    """Far within the window of 100,000 records of a partition."""
    first: dict[str, int] = {}
    for place, (_, event) in enumerate(Generator(7, EVENTS).stream()):
        assert place - first.setdefault(event.event_id, place) < 2 * LATENESS


def test_a_seed_gives_the_same_runs() -> None:
    first, second = Generator(3, 500), Generator(3, 500)
    assert [run.run_id for run in first.runs] == [run.run_id for run in second.runs]
    assert all(isinstance(run.events[0], RunStarted) for run in first.runs if run.kind == "lifecycle")


def test_what_a_run_must_come_to_is_what_a_recount_of_its_events_gives() -> None:
    """Two ledgers that share nothing but the events; of an endless run, only the generator knows that it times out."""
    for run in Generator(3, 3000).runs:
        told = recount([Said(number, NOON, event) for number, event in enumerate(run.events)], (), estimate_usd)
        assert told is not None
        usage = told.run["usage"]
        for name in ("input_tokens", "output_tokens", "cost_usd", "llm_calls"):
            assert getattr(usage, name) == getattr(run, name), name
        assert (told.run["agent_id"], told.run["failures"]) == (run.agent_id, run.failures)
        assert (told.run["status"] == "running") == run.timed_out
        if not run.timed_out:
            assert [told.run[name] for name in SAID] == [getattr(run, name) for name in SAID]
            assert [outcome.silent for _, outcome in told.outcomes] == [run.silent]
