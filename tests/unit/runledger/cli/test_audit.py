"""What `runledger audit` says, and its exit code."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from runledger.analytics.auditor import Audit
from runledger.analytics.pipeline import Pipeline
from runledger.analytics.verdicts import AgentState, AuditedAgent, Finding
from runledger.cli.agents_view import reason
from runledger.cli.audit import exit_code, print_audit

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CURRENT = Pipeline("current", NOON, 1.0, NOON)
BEHIND = Pipeline("behind", NOON, 180.0, NOON)
UNKNOWN = Pipeline("unknown", None, None, NOON)


def _agent(*findings: Finding, agent_id: str = "sage", **fields: Any) -> AuditedAgent:  # noqa: ANN401  # any field
    state: AgentState = findings[0] if findings else "healthy"
    known: dict[str, Any] = {
        "project_key": "acme",
        "name": None,
        "role": None,
        "last_seen_at": NOON,
        "unheard_seconds": 5 * 3600.0,
        "expected_interval_seconds": 3600,
        "consecutive_silence_count": 3,
        "silence_threshold": 3,
        "consecutive_failure_count": 4,
        "failure_threshold": 3,
        "finished_runs": 9,
        "last_status": "success",
        "open_incidents": (),
    }
    return AuditedAgent(agent_id=agent_id, state=state, findings=findings, **known | fields)


def _audit(*agents: AuditedAgent, pipeline: Pipeline = CURRENT, more: bool = False) -> Audit:
    return Audit(pipeline, pipeline.state == "current", list(agents), more)


def _printed(audit: Audit) -> str:
    console = Console(file=io.StringIO(), width=120)
    print_audit(console, audit)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("audit", "code"),
    [
        (_audit(), 0),
        (_audit(_agent()), 0),
        (_audit(_agent(), _agent("quiet")), 3),
        (_audit(_agent(), pipeline=BEHIND), 4),
        (_audit(_agent(), pipeline=UNKNOWN), 4),
        (_audit(_agent(), more=True), 4),
        (_audit(_agent("failing"), pipeline=BEHIND), 3),
    ],
    ids=["none", "well", "found", "behind", "unknown", "too-many", "found-though-behind"],
)
def test_the_exit_code_says_what_was_found(audit: Audit, code: int) -> None:
    assert exit_code(audit) == code


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ((), ""),
        (("failing",), "failed 4 times in a row"),
        (("silent",), "silent 3 runs in a row"),
        (("quiet",), "not heard for 5h, expected every 1h"),
        (("never_reported",), "never heard in 5h, expected every 1h"),
        (("silent", "quiet"), "silent 3 runs in a row, not heard for 5h, expected every 1h"),
    ],
)
def test_the_reason_is_said_in_words(findings: tuple[Finding, ...], words: str) -> None:
    assert reason(_agent(*findings)) == words


def test_what_is_wrong_stands_first() -> None:
    printed = _printed(_audit(_agent(agent_id="aurora"), _agent("silent", agent_id="zed", name="Zed", role="QA")))
    assert printed.startswith("1 of 2 agents need a look")
    assert printed.index("zed (Zed -- QA)") < printed.index("aurora")


@pytest.mark.parametrize(
    ("pipeline", "words"), [(BEHIND, "the pipeline is 3m behind"), (UNKNOWN, "nobody knows how far")]
)
def test_a_pipeline_that_lags_is_said_so(pipeline: Pipeline, words: str) -> None:
    printed = " ".join(_printed(_audit(_agent(), pipeline=pipeline)).split())
    assert words in printed
    assert "nobody is judged quiet" in printed
    assert printed.startswith("1 agent: nothing is wrong as far as is known")


def test_agents_that_were_not_looked_at_are_mentioned() -> None:
    assert "only 1 agents were looked at" in _printed(_audit(_agent(), more=True))


def test_names_are_shown_and_never_obeyed() -> None:
    printed = _printed(_audit(_agent(agent_id="[red]x[/red]\x1b]0;title\x07", name="a\nb")))
    assert "[red]x[/red]" in printed
    assert "\x1b" not in printed
    assert "\x07" not in printed


def test_a_ledger_without_agents_is_said_so() -> None:
    assert "No agent is known" in _printed(_audit())
