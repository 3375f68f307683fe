from typing import Any

import pytest

from runledger.processors.silence import is_silent


@pytest.mark.parametrize(
    "actions",
    [None, {}, {"a": None}, {"a": ""}, {"summary": " \n\t"}, {"a": [], "b": {}}, {"a": [{"b": [None, "", {}]}]}],
)
def test_empty_actions_are_silent(actions: dict[str, Any] | None) -> None:
    assert is_silent(actions, 0, None)


@pytest.mark.parametrize(
    "actions", [{"a": 0}, {"a": False}, {"a": "x"}, {"a": [{"b": ["x"]}]}, {"no_work": None}, {"no_work": "", "a": []}]
)
def test_an_answer_is_not_silent(actions: dict[str, Any]) -> None:
    assert not is_silent(actions, 0, None)


def test_no_work_counts_at_the_top_only() -> None:
    assert is_silent({"report": {"no_work": ""}}, 0, None)


def test_a_trace_is_not_silent() -> None:
    assert not is_silent({}, 1, None)


@pytest.mark.parametrize(("summary", "silent"), [(None, True), ("", True), (" ", True), ("done", False)])
def test_only_a_summary_with_words_is_output(summary: str | None, silent: bool) -> None:
    assert is_silent({}, 0, summary) is silent
