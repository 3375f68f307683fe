"""Rows as readers give them, unknown but for what a test says; and what a console makes of them."""

from __future__ import annotations

import io
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from runledger.analytics.run_steps import Step
from runledger.analytics.strips import StripOutcome
from runledger.analytics.verdicts import AuditedAgent
from runledger.cli.screen import Screen
from tests.unit.runledger.cli.test_terminal import HOSTILE, OBEYED
from tests.unit.sinks.build import run_number

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_RowT = TypeVar("_RowT")

__all__ = ["HOSTILE", "NOON", "agent", "made", "obeyed", "outcome", "printed", "run_number", "step"]


def made(row: type[_RowT], **known: Any) -> _RowT:  # noqa: ANN401  # any field
    """Make a row of a dataclass; what is not said is None."""
    return row(**{field.name: None for field in fields(row)} | known)  # type: ignore[arg-type]  # every row is a dataclass


def agent(*findings: str, **known: Any) -> AuditedAgent:  # noqa: ANN401  # any field
    """Make an agent that is well but for these findings."""
    usual = {
        "project_key": "acme",
        "agent_id": "sage",
        "state": findings[0] if findings else "healthy",
        "findings": findings,
        "last_seen_at": NOON,
        "unheard_seconds": 5 * 3600.0,
        "expected_interval_seconds": 3600,
        "consecutive_silence_count": 0,
        "silence_threshold": 3,
        "consecutive_failure_count": 0,
        "failure_threshold": 3,
        "finished_runs": 9,
        "open_incidents": (),
    }
    return made(AuditedAgent, **usual | known)


def outcome(status: str = "success", *, silent: bool = False, number: int = 1, **known: Any) -> StripOutcome:  # noqa: ANN401
    """Make one outcome of a strip."""
    usual = {"project_key": "acme", "agent_id": "sage", "run_id": run_number(number), "ended_at": NOON}
    return made(StripOutcome, **usual | {"status": status, "silent": silent, "inferred": False} | known)


def step(name: str | None, span: str | None = None, below: str | None = None, **known: Any) -> Step:  # noqa: ANN401
    """Make one trace entry."""
    usual = {"event_id": f"{name}-{span}", "number": 1, "occurred_at": NOON}
    return made(Step, **usual | {"name": name, "span_id": span, "parent_span_id": below} | known)


def printed(what: object, width: int = 120) -> str:
    """Return what a terminal of that width, without colours, would show."""
    file = io.StringIO()
    Screen(file=file, width=width).print(what)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def obeyed(shown: str) -> list[str]:
    """Return what a terminal would obey of it."""
    return [letter for letter in OBEYED if letter != "\n" and letter in shown]
