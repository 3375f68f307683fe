"""What was found of an agent, in words, and what to do about it."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from runledger.analytics.agent_story import AgentFailure
from runledger.analytics.dashboard.findings import Step, advise, say_finding
from runledger.analytics.verdicts import AuditedAgent, Finding
from tests.unit.analytics.dashboard.agents import NOON, agent, outcome, run_id, story

KIND = "a" * 64


@pytest.mark.parametrize(
    ("fields", "finding", "said"),
    [
        ({"consecutive_failure_count": 4}, "failing", "failed 4 times in a row"),
        ({"consecutive_failure_count": 1}, "failing", "failed once"),
        ({"consecutive_silence_count": 1_200}, "silent", "1,200 runs in a row without any output"),
        ({"consecutive_silence_count": 1}, "silent", "1 run without any output"),
        ({"unheard_seconds": 7_261.5}, "quiet", "not heard for 2 h 1 min, expected every 1 h"),
        ({"unheard_seconds": 342.9}, "quiet", "not heard for 5 min, expected every 1 h"),
        ({"unheard_seconds": 9 * 86_400}, "never_reported", "never heard in 9 d, expected every 1 h"),
    ],
)
def test_each_finding_is_said_in_a_few_words(fields: dict[str, Any], finding: Finding, said: str) -> None:
    assert say_finding(agent(**fields), finding) == said


def _steps(about: AuditedAgent, finding: Finding, **told: Any) -> list[Step]:  # noqa: ANN401  # of `story`
    (advice,) = advise(story(about, **told))
    assert advice.finding == finding
    return list(advice.steps)


def test_the_failing_are_led_to_their_newest_failed_run_and_to_its_kind_of_failure() -> None:
    failing = agent(findings=("failing",), consecutive_failure_count=3)
    kinds = [AgentFailure(KIND, "regressed", "it\u202ebroke", 2, NOON)]
    runs = [outcome(1, status="failed"), outcome(2, status="failed"), outcome(3, status="partial")]
    steps = _steps(failing, "failing", outcomes=runs, failures=kinds)
    assert [step.href for step in steps] == [f"/runs/{run_id(2)}", f"/failures/{KIND}", ""]
    assert "has come back" in steps[1].text
    assert "\u202e" not in steps[1].text
    given_up = _steps(failing, "failing", outcomes=[outcome(1, status="failed", inferred=True)])
    assert "lack of any sign of life" in given_up[0].text


def test_the_silent_are_told_what_counts_as_output() -> None:
    silent = agent(findings=("silent",), consecutive_silence_count=3)
    steps = _steps(silent, "silent", outcomes=[outcome(1, silent=True), outcome(2)])
    assert steps[0].href == f"/runs/{run_id(1)}"
    assert "no_work" in steps[-1].text


@pytest.mark.parametrize("agent_id", ["sage", "two words", "it's; rm -rf /", "$(reboot)"])
def test_a_command_names_the_agent_as_one_word_of_the_shell(agent_id: str) -> None:
    quiet = agent(agent_id, findings=("quiet",), unheard_seconds=9_000.0)
    commands = [step.command for step in _steps(quiet, "quiet") if step.command]
    assert [shlex.split(command)[3:6] for command in commands] == [[agent_id, "--project", "acme"]] * 2
    never = agent(agent_id, findings=("never_reported",), unheard_seconds=9_000.0, last_seen_at=None)
    assert shlex.split(_steps(never, "never_reported")[-1].command)[-1] == "--retired"


def test_where_nothing_was_found_there_is_nothing_to_do() -> None:
    assert advise(story(agent())) == []


def test_several_findings_are_each_advised() -> None:
    both = agent(findings=("failing", "quiet"), consecutive_failure_count=3, unheard_seconds=9_000.0)
    assert [advice.finding for advice in advise(story(both))] == ["failing", "quiet"]
