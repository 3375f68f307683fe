"""Stories are as untidy as their habits say, and the same for the same seed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from uuid import UUID

import pytest

from runledger.schemas.codec import decode_event, encode_event
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import AnyRunEvent, RunEnded, RunLogged, RunRecorded, RunStarted, UsageReported
from tests.stories import RUNS_PER_AGENT, Habits, Story

EVENTS = 4000
TIDY = Habits(late=0, repeated=0, endless=0, afterthoughts=0)


def runs_of(events: Iterable[AnyRunEvent]) -> dict[UUID, list[AnyRunEvent]]:
    """{run: its events in the order they are sent}."""
    runs: dict[UUID, list[AnyRunEvent]] = defaultdict(list)
    for event in events:
        runs[event.run_id].append(event)
    return runs


def test_a_seed_gives_the_same_story_however_often_it_is_told() -> None:
    assert list(Story(3, 500)) == list(Story(3, 500))


@pytest.mark.parametrize("other", [Story(4, 500), Story(3, 500, number=1)])
def test_another_seed_and_another_number_give_other_events(other: Story) -> None:
    assert {event.event_id for event in Story(3, 500)}.isdisjoint(event.event_id for event in other)


def test_stories_of_one_test_share_no_agent() -> None:
    agents = [{event.agent_id for event in Story(3, 500, number=number)} - {None} for number in (1, 2)]
    assert agents[0].isdisjoint(agents[1])


def test_without_bad_habits_every_run_is_told_once_and_in_order() -> None:
    told = list(Story(5, EVENTS, TIDY))
    assert EVENTS <= len(told) <= EVENTS + 20
    assert [event.occurred_at for event in told] != sorted(event.occurred_at for event in told)
    for events in runs_of(told).values():
        assert [event.occurred_at for event in events] == sorted(event.occurred_at for event in events)
        assert isinstance(events[0], RunStarted | RunRecorded | RunLogged)
        assert isinstance(events[-1], RunEnded | RunRecorded | RunLogged)
        assert events[0].agent_id is not None
    assert max(Counter(event.event_id for event in told).values()) == 1


def test_repeats_are_counted_and_come_soon() -> None:
    story = Story(5, EVENTS, Habits(late=0, lateness=50, repeated=0.2))
    told = list(story)
    times = Counter(event.event_id for event in told)
    assert set(times.values()) == {1, 2}
    assert story.repeats == sum(count == 2 for count in times.values())
    assert 0.15 < story.repeats / len(times) < 0.25
    first: dict[str, int] = {}
    for place, event in enumerate(told):
        assert place - first.setdefault(event.event_id, place) < 100


def test_late_events_are_overtaken_within_their_run() -> None:
    runs = runs_of(Story(5, EVENTS, Habits(repeated=0)))
    late = [events for events in runs.values() if events != sorted(events, key=lambda event: event.occurred_at)]
    assert len(late) > len(runs) / 3
    assert any(isinstance(events[-1], RunStarted) for events in late)


def test_some_runs_never_end() -> None:
    runs = runs_of(Story(5, EVENTS, Habits(endless=0.5))).values()
    endless = [
        events for events in runs if not any(isinstance(it, RunEnded | RunRecorded | RunLogged) for it in events)
    ]
    assert 0.3 < len(endless) / len(runs) < 0.6


def test_some_runs_report_usage_after_their_end() -> None:
    runs = list(Story(5, EVENTS, Habits(afterthoughts=0.5)).runs())
    ended = [run for run in runs if any(isinstance(event, RunEnded) for event in run)]
    after = [run for run in ended if isinstance(run[-1], UsageReported)]
    assert 0.4 < len(after) / len(ended) < 0.6


def test_steps_and_prices_are_as_the_habits_say() -> None:
    runs = list(Story(5, EVENTS, Habits(endless=1, unpriced=0, steps=(6, 9))).runs())
    assert {len(run) for run in runs} == {1, 7, 8, 9, 10}
    usages = [event.data.token_usage for run in runs for event in run if isinstance(event, UsageReported)]
    assert all(usage.cost_usd is not None for usage in usages)


def test_no_more_runs_are_under_way_than_at_once() -> None:
    told = list(Story(5, EVENTS, Habits(late=0, repeated=0, at_once=7)))
    first = {event.run_id: place for place, event in reversed(list(enumerate(told)))}
    last = {event.run_id: place for place, event in enumerate(told)}
    assert max(sum(first[run] <= place <= last[run] for run in first) for place in range(0, len(told), 10)) == 7


def test_no_agent_has_more_runs_than_its_window_holds() -> None:
    named: dict[tuple[str, str | None], set[UUID]] = defaultdict(set)
    for event in Story(5, EVENTS):
        if event.agent_id is not None:
            named[event.project_key, event.agent_id].add(event.run_id)
    assert max(map(len, named.values())) == RUNS_PER_AGENT
    assert {project for project, _ in named} == {"alpha", "beta"}


def test_an_agents_clock_is_off_by_the_same_within_the_bound() -> None:
    skewed = Story(5, 500, Habits(late=0, repeated=0, skew_seconds=3600))
    straight = Story(5, 500, Habits(late=0, repeated=0))
    off: dict[UUID, set[float]] = defaultdict(set)
    for event, right in zip(skewed, straight, strict=True):
        off[event.run_id].add((event.occurred_at - right.occurred_at).total_seconds())
    assert all(len(found) == 1 for found in off.values())
    assert max(abs(seconds) for found in off.values() for seconds in found) <= 3600
    assert len({next(iter(found)) for found in off.values()}) > 1


def test_every_event_is_valid_on_the_wire() -> None:
    for event in Story(5, 500):
        assert decode_event(encode_event(event), run_key(event.project_key, event.run_id)) == event
