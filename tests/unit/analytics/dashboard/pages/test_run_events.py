"""Events of a run, in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.analytics.dashboard.pages.run_events import MOST_PAGE_BYTES, EventView, tell_events
from runledger.analytics.run_story import DeliveredEvent
from runledger.schemas.run_events import AnyRunEvent
from tests.unit.analytics.dashboard.runs import NOON

OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"
TYPES = [kind.model_fields["type"].default for kind in get_args(AnyRunEvent)]


def event(kind: str, data: dict[str, Any] | None, size: int = 100) -> DeliveredEvent:
    """Return a delivery."""
    return DeliveredEvent(
        0, 7, NOON, "e1", f"runledger.{kind}.v1", "sage", NOON, "test", repeated=False, data=data, data_bytes=size
    )


def told(kind: str, data: dict[str, Any] | None) -> EventView:
    """Return one event in words."""
    [view] = tell_events([event(kind, data)], NOON - timedelta(seconds=90))
    return view


@pytest.mark.parametrize(
    ("kind", "data", "title", "tone", "says", "facts"),
    [
        ("run.started", {"summary": "go", "task_id": "t1"}, "Started", "plain", "go", ["task t1"]),
        (
            "usage.reported",
            {
                "token_usage": {
                    "input_tokens": 8400,
                    "output_tokens": 1200,
                    "cost_usd": "0.028",
                    "model": "opus",
                    "llm_calls": 1,
                }
            },
            "Usage",
            "plain",
            None,
            ["8,400 in", "1,200 out", "1 call", "$0.028", "opus"],
        ),
        (
            "usage.reported",
            {"token_usage": {"total_tokens": 5}, "traces": [{}, {}]},
            "Usage",
            "plain",
            None,
            ["5 tokens", "2 steps"],
        ),
        ("usage.reported", {"token_usage": {}, "traces": [{"tool": "search"}]}, "Step", "plain", None, ["search"]),
        ("run.ended", {"status": "completed", "summary": "done"}, "Ended: completed", "good", "done", []),
        ("run.ended", {"status": "failed"}, "Ended: failed", "bad", None, []),
        ("run.ended", {"status": "interrupted"}, "Ended: interrupted", "warn", None, []),
        ("failure.recorded", {"summary": "broke"}, "Failure", "bad", "broke", []),
        ("run.recorded", {"summary": "did", "ticket": "T-1"}, "Recorded in one call", "good", "did", ["ticket T-1"]),
        (
            "run.logged",
            {"status": "partial", "actions_taken": {"summary": "half"}},
            "Logged: partial",
            "warn",
            "half",
            [],
        ),
        ("run.heartbeat", {}, "Sign of life", "faint", None, []),
        ("failure.resolved", {"note": "raised it", "by": "ops"}, "Failure resolved", "good", "raised it", ["by ops"]),
    ],
)
def test_an_event_is_put_into_words(
    kind: str, data: dict[str, Any], title: str, tone: str, says: str | None, facts: list[str]
) -> None:
    view = told(kind, data)
    assert (view.title, view.tone, view.says, view.facts) == (title, tone, says, facts)
    assert view.after == timedelta(seconds=90)


def test_an_end_inferred_by_us_says_so() -> None:
    assert "until the deadline" in (told("run.timed_out", {"last_version": 3}).says or "")


def test_errors_and_masked_previews_are_quoted_as_they_are() -> None:
    assert told("failure.recorded", {"summary": "s", "error": "Oops\n  at x:1\n"}).quote == "Oops\n  at x:1"
    preview = {"token_usage": {"prompt_preview": "use [masked:api_key] now"}}
    assert told("usage.reported", preview).quote == "use [masked:api_key] now"


def test_marks_of_direction_are_seen_in_words_and_in_json() -> None:
    view = told("run.started", {"summary": f"a{OVERRIDE}b"})
    assert view.says == "a\ufffdb"
    assert view.raw is not None
    assert OVERRIDE not in view.raw
    assert "\\u202e" in view.raw


def test_json_that_is_too_large_for_the_page_is_left_out() -> None:
    half = MOST_PAGE_BYTES // 2 + 1
    views = tell_events(
        [event("run.heartbeat", {}, half), event("run.heartbeat", {}, half), event("run.heartbeat", {}, 9)], None
    )
    assert [view.raw is not None for view in views] == [True, False, True]
    assert views[0].after is None


def test_room_is_taken_by_what_is_written() -> None:
    deep: Any = [1] * 20_000
    for _ in range(25):
        deep = [deep]
    events = [event("run.heartbeat", {"deep": deep}, 60_000) for _ in range(20)]
    written = [view.raw for view in tell_events(events, None) if view.raw is not None]
    assert 1 < len(written) < 20
    assert sum(map(len, written)) < 1.1 * MOST_PAGE_BYTES


def test_an_event_whose_data_is_not_known_has_no_json() -> None:
    view = told("run.started", None)
    assert (view.title, view.says, view.raw) == ("Started", None, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("summary", "status", "token_usage", "traces", "error", "actions_taken", "task_id", "ticket", "note", "by")
USAGE = st.dictionaries(st.sampled_from(["input_tokens", "total_tokens", "llm_calls", "cost_usd", "model"]), JSON)


@given(st.sampled_from([*TYPES, "unheard.of"]), st.dictionaries(st.sampled_from(NAMES), JSON | USAGE))
def test_whatever_an_event_holds_it_is_shown(kind: str, data: dict[str, Any]) -> None:
    [view] = tell_events([event(kind.removeprefix("runledger.").removesuffix(".v1"), data)], NOON)
    assert view.title
    assert view.raw is not None
