"""A run's steps as a tree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runledger.analytics.run_steps import Step
from runledger.cli.steps_tree import MOST_LEVELS, place, steps_tree
from tests.unit.runledger.cli.build import HOSTILE, NOON, made, obeyed, printed, step


def test_a_step_stands_below_the_one_that_began_it() -> None:
    steps = [
        step("ask", "c", "b", kind="llm", model="claude", duration_ms="1500"),
        step("answer", "a"),
        step("think", "b", "a"),
        step("tool", "d", "a", kind="tool", tool="search", status="error", duration_ms="20"),
        step("loose"),
    ]
    assert printed(steps_tree(steps, "Traces")).splitlines() == [
        "Traces",
        "├── answer",
        "│   ├── think",
        "│   │   └── ask  llm, claude  1.5s",
        "│   └── tool  tool, search  20ms  error",
        "└── loose",
    ]


def test_steps_that_tell_only_a_tool_or_nothing_have_a_name_too() -> None:
    steps = [step(None, tool="get_user"), step(None, kind="llm", number=2), step(None, number=3)]
    assert printed(steps_tree(steps, "T")).splitlines() == ["T", "├── get_user", "├── llm", "└── step"]


def test_orphans_and_circles_are_shown_once() -> None:
    steps = [step("orphan", "x", "gone"), step("own", "o", "o"), step("one", "1", "2"), step("two", "2", "1")]
    assert sorted(placed.step.name or "" for placed in place(steps)) == ["one", "orphan", "own", "two"]


def test_depth_beyond_the_terminal_stays_on_one_level() -> None:
    steps = [step(f"s{level}", str(level), str(level - 1)) for level in range(3000)]
    lines = printed(steps_tree(steps, "deep"), 200).splitlines()
    assert len(lines) == 3001
    assert max(line.index("s") for line in lines[1:]) <= 4 * (MOST_LEVELS + 1)


def test_what_anybody_wrote_is_shown_and_not_obeyed() -> None:
    texts = dict.fromkeys(("name", "kind", "tool", "model", "status", "duration_ms"), HOSTILE)
    hostile = made(Step, event_id="e", number=1, occurred_at=NOON, span_id=HOSTILE, **texts)
    shown = printed(steps_tree([hostile], "T"), 400)
    assert obeyed(shown) == []
    assert "evil[red]" in shown
    for nonsense in ("nan", "inf", "-1", "1e400", "many"):
        assert printed(steps_tree([step("a", duration_ms=nonsense)], "T")).splitlines()[1] == "└── a"


_IDS = st.none() | st.sampled_from(["a", "b", "c", "d"])


@given(st.lists(st.tuples(_IDS, _IDS), max_size=12))
def test_every_step_is_placed_exactly_once(links: list[tuple[str | None, str | None]]) -> None:
    steps = [step("s", span, below, event_id=str(number)) for number, (span, below) in enumerate(links)]
    placed = [one.step.event_id for one in place(steps)]
    assert sorted(placed) == sorted(one.event_id for one in steps)
