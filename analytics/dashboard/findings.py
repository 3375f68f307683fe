"""What was found of an agent, in words, and what to do about it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from runledger.analytics.agent_story import AgentStory
from runledger.analytics.dashboard.formats import duration
from runledger.analytics.dashboard.rendering import link
from runledger.analytics.dashboard.words import plain
from runledger.analytics.verdicts import AuditedAgent, Finding

_SUMMARY_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    Args:
        text: in words.
        href: where it leads; the words are the link then.
        command: what to type; empty where nothing is to be typed.
    """

    text: str
    href: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Advice:
    """One finding.

    Args:
        finding: which.
        what: what was found, in a sentence without its end.
        steps: what to do, the likeliest first.
    """

    finding: Finding
    what: str
    steps: Sequence[Step]


def say_finding(agent: AuditedAgent, finding: Finding) -> str:
    """Say what was found, in a few words."""
    match finding:
        case "failing":
            return f"failed {_times(agent.consecutive_failure_count)}"
        case "silent":
            return f"{_runs(agent.consecutive_silence_count)} without any output"
        case "quiet":
            return f"not heard for {_unheard(agent)}, expected every {duration(agent.expected_interval_seconds)}"
        case "never_reported":
            return f"never heard in {_unheard(agent)}, expected every {duration(agent.expected_interval_seconds)}"


def advise(story: AgentStory) -> list[Advice]:
    """Say for each finding what it is and what to do, the worst first."""
    return [
        Advice(finding, say_finding(story.agent, finding), _steps(story, finding)) for finding in story.agent.findings
    ]


def _steps(story: AgentStory, finding: Finding) -> list[Step]:
    match finding:
        case "failing":
            return _when_failing(story)
        case "silent":
            return _when_silent(story)
        case "quiet":
            return _when_quiet(story)
        case "never_reported":
            return _when_never_reported(story)


def _when_failing(story: AgentStory) -> list[Step]:
    steps = []
    failed = [outcome for outcome in story.outcomes if outcome.status == "failed"]
    if failed:
        newest = failed[-1]
        said = "Look at its newest failed run"
        if newest.inferred:
            said = "Look at its newest failed run: it was given up for lack of any sign of life"
        steps.append(Step(said, link("/runs", newest.run_id)))
    for kind in story.failures[:2]:
        known = {
            "resolved": "this was resolved before: see how",
            "regressed": "this was resolved before, and has come back",
            "open": "never resolved so far",
        }[kind.state]
        summary = plain(kind.summary, _SUMMARY_CHARACTERS)
        steps.append(Step(f"Compare the kind of failure “{summary}”: {known}", link("/failures", kind.fingerprint)))
    steps.append(Step("Its next successful run ends the streak, and the incident with it"))
    return steps


def _when_silent(story: AgentStory) -> list[Step]:
    steps = []
    silent = [outcome for outcome in story.outcomes if outcome.silent]
    if silent:
        steps.append(Step("Look at what its newest silent run sent", link("/runs", silent[-1].run_id)))
    steps.append(Step("Let it say what it did: actions, traces, or a summary at its end"))
    steps.append(Step('Where there is nothing to do, let it say so: {"no_work": "…"} counts as output'))
    return steps


def _when_quiet(story: AgentStory) -> list[Step]:
    steps = [Step("See whether whatever starts it still does: its schedule, its host, its key")]
    if story.outcomes:
        steps.append(Step("Look at its last run", link("/runs", story.outcomes[-1].run_id)))
    steps.append(Step("If it is meant to report less often, say so", command=_set(story.agent, "--every 2d")))
    steps.append(Step("If it is no longer at work, retire it", command=_set(story.agent, "--retired")))
    return steps


def _when_never_reported(story: AgentStory) -> list[Step]:
    return [
        Step("See that it names itself as here, and that its key is one of this project"),
        Step("See that the way to the ledger is open from where it runs", command="runledger doctor"),
        Step("If it will not come, retire it", command=_set(story.agent, "--retired")),
    ]


def _set(agent: AuditedAgent, flags: str) -> str:
    return f"runledger agents set {shlex.quote(plain(agent.agent_id))} --project {agent.project_key} {flags}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times in a row"


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count:,} runs in a row"


def _unheard(agent: AuditedAgent) -> str:
    """Say how long, no more exactly than stays true for a while."""
    seconds = agent.unheard_seconds or 0
    return str(duration(seconds - seconds % 60 if seconds >= 60 else seconds))  # noqa: PLR2004  # a minute
