"""Runs as readers give them, with what a test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from runledger.analytics.readings import LogReading, RunFound, RunReading
from runledger.analytics.run_account import ModelReading, RunAccount, UsageReading
from runledger.analytics.run_list import ListedRun

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RUN = UUID("0193c6f2-6b1e-7cc0-8a3e-0e9d3a3f6a10")
_LISTED = ListedRun.__dataclass_fields__
_READ = RunReading.__dataclass_fields__
_KNOWN: dict[str, Any] = {
    "run_id": RUN,
    "kind": "lifecycle",
    "status": "completed",
    "heard_at": NOON,
    "cost_source": "unknown",
    "models": [],
    "usage_mismatch": False,
    "timed_out": False,
    "end_conflict": False,
    "late_events": False,
    "failure_count": 0,
    "trace_count": 0,
}


def listed(**told: Any) -> ListedRun:  # noqa: ANN401  # any field
    """Return a completed run of a list."""
    known: dict[str, Any] = dict.fromkeys(_LISTED) | {name: _KNOWN[name] for name in _KNOWN if name in _LISTED}
    return ListedRun(**known | told)


def run(**told: Any) -> RunReading:  # noqa: ANN401  # any field
    """Return a completed run."""
    known: dict[str, Any] = dict.fromkeys(_READ) | _KNOWN
    return RunReading(**known | told)


def usage(reported: dict[str, Any] | None = None, final: dict[str, Any] | None = None, **told: Any) -> UsageReading:  # noqa: ANN401  # any field
    """Return what a run's figures were made of."""
    known: dict[str, Any] = {
        "reported": reported or {},
        "reported_cost_source": "unknown",
        "final": final,
        "final_cost_source": "unknown",
        "inferred": False,
        "clock_clamped": False,
        "event_count": 2,
        "parent_known": False,
        "child_count": 0,
    }
    return UsageReading(**known | told)


def model(name: str | None = "claude-opus-4", **told: Any) -> ModelReading:  # noqa: ANN401  # any field
    """Return what a run reported of a model, once."""
    known: dict[str, Any] = dict.fromkeys(ModelReading.__dataclass_fields__)
    return ModelReading(**known | {"model": name, "at_end": False, "reports": 1, "reports_with_cost": 0} | told)


def log(**told: Any) -> LogReading:  # noqa: ANN401  # any field
    """Return a run's row in the run log."""
    known: dict[str, Any] = {
        "id": RUN,
        "run_at": NOON,
        "created_at": NOON,
        "status": "success",
        "action_summary": None,
        "revision": 1,
        "inferred": False,
        "late": False,
        "rlhf_scores": None,
    }
    return LogReading(**known | told)


def account(
    reading: RunReading | None = None, row: LogReading | None = None, figures: UsageReading | None = None
) -> RunAccount:
    """Return an account of a run."""
    return RunAccount(RunFound(reading or run(), [], row), figures or usage(), [], [])
