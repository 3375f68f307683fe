"""Whom the auditor finds fault with, and whom not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.analytics.pipeline import Listening, Span
from runledger.analytics.verdicts import AgentRow, OpenIncidentRow, judge_agent

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = 3600


def agent(**fields: Any) -> AgentRow:  # noqa: ANN401  # any field
    """Return an agent that was heard at noon and has done well ever since."""
    healthy: dict[str, Any] = {
        "project_key": "acme",
        "agent_id": "sage",
        "name": None,
        "role": None,
        "retired": False,
        "created_at": NOON - timedelta(days=30),
        "expected_interval_seconds": HOUR,
        "silence_threshold": None,
        "failure_threshold": None,
        "heard_at": NOON,
        "last_logged_at": NOON,
        "last_status": "success",
        "finished_runs": 9,
        "consecutive_silence_count": 0,
        "consecutive_failure_count": 0,
    }
    return AgentRow(**healthy | fields)


def listened(hours: float) -> Listening:
    """Return a pipeline that has listened since a month ago, until some hours after noon."""
    return Listening([Span(NOON - timedelta(days=30), NOON + timedelta(hours=hours))])


NEVER: dict[str, Any] = {"heard_at": None, "last_logged_at": None, "last_status": None, "finished_runs": 0}


@pytest.mark.parametrize(
    ("fields", "hours", "state", "findings"),
    [
        ({}, 1, "healthy", ()),
        ({}, 1.001, "quiet", ("quiet",)),
        ({"expected_interval_seconds": None}, 24, "healthy", ()),
        ({"expected_interval_seconds": None}, 24.001, "quiet", ("quiet",)),
        ({"consecutive_failure_count": 2}, 0, "healthy", ()),
        ({"consecutive_failure_count": 3}, 0, "failing", ("failing",)),
        ({"consecutive_failure_count": 3, "failure_threshold": 4}, 0, "healthy", ()),
        ({"consecutive_silence_count": 3}, 0, "silent", ("silent",)),
        ({"consecutive_silence_count": 1, "silence_threshold": 1}, 0, "silent", ("silent",)),
        (
            {"consecutive_silence_count": 3, "consecutive_failure_count": 3},
            2,
            "failing",
            ("failing", "silent", "quiet"),
        ),
        (NEVER, 0, "never_reported", ("never_reported",)),
        (NEVER | {"created_at": NOON}, 0.5, "expected", ()),
        (NEVER | {"last_logged_at": NOON}, 0.5, "healthy", ()),
        (NEVER | {"last_logged_at": NOON}, 2, "quiet", ("quiet",)),
        ({"heard_at": NOON + timedelta(hours=1)}, 2, "healthy", ()),
        ({"retired": True, "consecutive_failure_count": 3}, 100, "retired", ()),
    ],
)
def test_an_agent_is_found_out_for_what_it_does(
    fields: dict[str, Any], hours: float, state: str, findings: tuple[str, ...]
) -> None:
    judged = judge_agent(agent(**fields), listened(hours), ())
    assert (judged.state, judged.findings) == (state, findings)


def test_the_name_for_runs_without_an_agent_is_never_quiet() -> None:
    nobody = agent(agent_id="unknown", heard_at=None, expected_interval_seconds=None)
    assert judge_agent(nobody, listened(100), ()).state == "healthy"
    assert judge_agent(replace(nobody, heard_at=NOON), listened(100), ()).state == "quiet"
    assert judge_agent(replace(nobody, consecutive_failure_count=3), listened(100), ()).state == "failing"


def test_an_outage_of_ours_is_nobodys_silence() -> None:
    spans = [Span(NOON - timedelta(hours=1), NOON), Span(NOON + timedelta(hours=9), NOON + timedelta(hours=10))]
    judged = judge_agent(agent(), Listening(spans), ())
    assert (judged.state, judged.unheard_seconds) == ("healthy", HOUR)


def test_what_was_judged_is_told_with_it() -> None:
    incident = OpenIncidentRow("acme", "sage", UUID(int=1), "failing", 3, UUID(int=2), NOON)
    judged = judge_agent(agent(name="Sage", role="Backend"), listened(0.5), (incident,))
    assert (judged.name, judged.role, judged.last_seen_at) == ("Sage", "Backend", NOON)
    assert (judged.unheard_seconds, judged.expected_interval_seconds) == (HOUR / 2, HOUR)
    assert (judged.silence_threshold, judged.failure_threshold) == (3, 3)
    assert judged.open_incidents == (incident,)


_SECONDS = st.integers(min_value=0, max_value=200_000)
_ROWS = st.builds(
    agent,
    created_at=_SECONDS.map(lambda seconds: NOON + timedelta(seconds=seconds)),
    heard_at=st.none() | _SECONDS.map(lambda seconds: NOON + timedelta(seconds=seconds)),
    last_logged_at=st.none() | _SECONDS.map(lambda seconds: NOON + timedelta(seconds=seconds)),
    expected_interval_seconds=st.none() | st.integers(min_value=1, max_value=100_000),
    retired=st.booleans(),
    consecutive_silence_count=st.integers(min_value=0, max_value=5),
    consecutive_failure_count=st.integers(min_value=0, max_value=5),
)
_SPANS = st.lists(st.tuples(_SECONDS, _SECONDS), max_size=6).map(
    lambda pairs: [
        Span(NOON + timedelta(seconds=min(pair)), NOON + timedelta(seconds=max(pair)))
        for pair in _apart(sorted(tuple(sorted(pair)) for pair in pairs))
    ]
)
_ABSENT = {"quiet", "never_reported"}


def _apart(pairs: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    kept: list[tuple[int, ...]] = []
    for pair in pairs:
        if not kept or pair[0] > kept[-1][1]:
            kept.append(pair)
    return kept


@given(_ROWS)
def test_nobody_is_called_quiet_while_the_pipeline_is_behind(row: AgentRow) -> None:
    judged = judge_agent(row, None, ())
    assert not _ABSENT & set(judged.findings)
    assert judged.unheard_seconds is None


@given(_ROWS, _SPANS)
def test_quiet_is_who_was_listened_to_for_longer_than_its_interval(row: AgentRow, spans: list[Span]) -> None:
    judged = judge_agent(row, Listening(spans), ())
    since = row.heard_at or row.last_logged_at or row.created_at
    observed = sum(max(0.0, (span.reached_at - max(span.began_at, since)).total_seconds()) for span in spans)
    is_absent = observed > (row.expected_interval_seconds or 86_400) and not row.retired
    assert bool(_ABSENT & set(judged.findings)) == is_absent


@given(_ROWS, _SPANS, st.integers(min_value=0, max_value=100_000))
def test_more_listening_never_takes_a_finding_back(row: AgentRow, spans: list[Span], seconds: int) -> None:
    before = judge_agent(row, Listening(spans), ())
    later = max((span.reached_at for span in spans), default=NOON)
    more = [*spans, Span(later, later + timedelta(seconds=seconds))]
    assert set(before.findings) <= set(judge_agent(row, Listening(more), ()).findings)


@given(_ROWS, _SPANS)
def test_a_longer_interval_never_adds_a_finding(row: AgentRow, spans: list[Span]) -> None:
    patient = replace(row, expected_interval_seconds=(row.expected_interval_seconds or 86_400) + 1000)
    listening = Listening(spans)
    assert set(judge_agent(patient, listening, ()).findings) <= set(judge_agent(row, listening, ()).findings)


@given(_ROWS, _SPANS)
def test_the_state_is_the_first_finding(row: AgentRow, spans: list[Span]) -> None:
    judged = judge_agent(row, Listening(spans), ())
    if judged.findings:
        assert judged.state == judged.findings[0]
    else:
        assert judged.state in {"healthy", "expected", "retired"}
