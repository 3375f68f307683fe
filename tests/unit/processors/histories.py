"""Events of one run, made by hand and by hypothesis, and ways to fold them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from pydantic import BaseModel

from runledger.processors.evolve import evolve
from runledger.processors.ledger import At, RunStep, apply
from runledger.schemas.codec import decode, encode
from runledger.schemas.lean_events import AnyTokenUsage, lean
from runledger.schemas.outcomes import RunOutcome
from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    FailureData,
    FailureRecorded,
    HeartbeatData,
    LoggedData,
    RecordedData,
    RunEnded,
    RunHeartbeat,
    RunLogged,
    RunRecorded,
    RunStarted,
    StartedData,
    UsageData,
    UsageReported,
)
from runledger.schemas.snapshots import RunSnapshot
from runledger.schemas.usage import TokenUsage

RUN = UUID("0193a000-0000-7000-8000-000000000001")
NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
LOGGED = datetime(2026, 1, 1, tzinfo=UTC)
"""Log time of the first event: long after everything in these histories."""


def no_price(usage: AnyTokenUsage, at: datetime) -> Decimal | None:
    """Know no model."""


def flat_price(usage: AnyTokenUsage, at: datetime) -> Decimal | None:
    """Know the model `flat`: a cent a token, in and out."""
    if usage.model != "flat":
        return None
    return Decimal(usage.input_tokens or 0) / 100 + Decimal(usage.output_tokens or 0) / 100


def common(event_id: str, second: int = 0, agent_id: str | None = "sage") -> dict[str, Any]:
    """Attributes every event has."""
    at = NOON + timedelta(seconds=second)
    return {"event_id": event_id, "project_key": "p", "run_id": RUN, "occurred_at": at, "agent_id": agent_id}


def started(event_id: str = "start", second: int = 0, agent_id: str = "sage", **data: object) -> RunStarted:
    """Make a start."""
    return RunStarted(**common(event_id, second, agent_id), data=StartedData.model_validate(data))


def used(
    event_id: str = "usage", second: int = 1, agent_id: str | None = None, traces: int = 0, **usage: object
) -> UsageReported:
    """Make a usage report."""
    data = UsageData(token_usage=TokenUsage.model_validate(usage), traces=[{"n": n} for n in range(traces)])
    return UsageReported(**common(event_id, second, agent_id), data=data)


def ended(event_id: str = "end", second: int = 60, agent_id: str | None = None, **data: object) -> RunEnded:
    """Make an end."""
    return RunEnded(
        **common(event_id, second, agent_id), data=EndedData.model_validate({"status": "completed", **data})
    )


def failed(event_id: str = "failure", second: int = 2, **data: object) -> FailureRecorded:
    """Make a failure within the run."""
    return FailureRecorded(**common(event_id, second), data=FailureData.model_validate({"summary": "boom", **data}))


def beat(event_id: str = "beat", second: int = 3) -> RunHeartbeat:
    """Make a heartbeat."""
    return RunHeartbeat(**common(event_id, second))


def recorded(event_id: str = "record", second: int = 4, **data: object) -> RunRecorded:
    """Make a whole run in one event."""
    return RunRecorded(**common(event_id, second), data=RecordedData.model_validate({"summary": "did it", **data}))


def logged(event_id: str = "log", second: int = 5, **data: object) -> RunLogged:
    """Make an agent run log."""
    return RunLogged(**common(event_id, second), data=LoggedData.model_validate({"status": "success", **data}))


def at(offset: int) -> At:
    """Say where the event of an offset stood: one a second."""
    return At(offset, LOGGED + timedelta(seconds=offset))


def fold(
    events: Iterable[AnyRunEvent],
    state: RunSnapshot | None = None,
    price: Callable[[AnyTokenUsage, datetime], Decimal | None] = flat_price,
    *,
    start: int = 0,
    through_codec: bool = False,
) -> tuple[RunSnapshot, list[RunOutcome]]:
    """Fold events in the order given; by way of bytes after every step if so wished."""
    outcomes: list[RunOutcome] = []
    for offset, event in enumerate(events, start):
        step = apply(state, lean(event), at(offset), price)
        state = step.state
        if through_codec and state is not None:
            state = decode(RunSnapshot, encode(state))
        outcomes.extend(step.emitted)
    assert state is not None
    return state, outcomes


def one(events: Sequence[AnyRunEvent]) -> RunSnapshot:
    """Fold events and return the run."""
    return fold(events)[0]


def step_of(event: AnyRunEvent, state: RunSnapshot | None = None, offset: int = 0) -> RunStep:
    """Apply one event."""
    return apply(state, lean(event), at(offset), flat_price)


def timeless(run: RunSnapshot) -> RunSnapshot:
    """Blank what depends on the log's order by right: offsets, log times, how often something was said."""
    return evolve(
        run, born_offset=0, version=0, last_logged_at=LOGGED, heard_at=None, end_logged_at=None, outcome_revision=0
    )


def said(outcome: RunOutcome) -> tuple[object, ...]:
    """Return what an outcome says that must not depend on order."""
    return (
        outcome.agent_id,
        outcome.kind,
        outcome.status,
        outcome.run_status,
        outcome.inferred,
        outcome.silent,
        outcome.ended_at,
        outcome.actions_taken,
        outcome.action_summary,
    )


_counts = st.none() | st.integers(0, 10**6)
_costs = st.none() | st.integers(0, 10**12).map(lambda tiny: Decimal(tiny).scaleb(-10))
_models = st.sampled_from([None, "flat", "other", "gpt-4.1"])
_seconds = st.integers(0, 30)
usages = st.builds(
    TokenUsage,
    input_tokens=_counts,
    output_tokens=_counts,
    total_tokens=_counts,
    cost_usd=_costs,
    model=_models,
    llm_calls=_counts,
    cache_read_tokens=_counts,
    cache_write_tokens=_counts,
    reasoning_tokens=_counts,
)
_texts = st.sampled_from([None, "", "  ", "done"])
_metas = st.sampled_from([{}, {"a": []}, {"a": {"b": "  "}}, {"n": 0}, {"no_work": True}, {"summary": "from meta"}])
_traces = st.sampled_from([[], [], [{"tool": "t"}], [{}, {}]])
_agents = st.sampled_from([None, "sage"])
_ended = st.builds(
    EndedData,
    status=st.sampled_from(["completed", "failed", "interrupted"]),
    summary=_texts,
    meta=_metas,
    token_usage=st.none() | usages,
    traces=_traces,
)
_recorded = st.builds(RecordedData, summary=st.sampled_from(["", "did it"]), meta=_metas)
_logged = st.builds(LoggedData, status=st.sampled_from(["success", "partial", "failed"]), actions_taken=_metas)
ends: st.SearchStrategy[BaseModel] = st.one_of(_ended, _ended, _recorded, _logged)
payloads: st.SearchStrategy[BaseModel] = st.one_of(
    st.builds(StartedData, summary=_texts, task_id=st.sampled_from([None, "t1", "t2"])),
    st.builds(UsageData, token_usage=usages, traces=_traces),
    st.builds(UsageData, token_usage=usages, traces=_traces),
    _ended,
    st.just(FailureData(summary="boom")),
    st.just(FailureData(summary="boom", detached=True)),
    _recorded,
    _logged,
    st.just(HeartbeatData()),
)


_EVENT_OF: dict[type, type[AnyRunEvent]] = {
    StartedData: RunStarted,
    UsageData: UsageReported,
    EndedData: RunEnded,
    FailureData: FailureRecorded,
    RecordedData: RunRecorded,
    LoggedData: RunLogged,
    HeartbeatData: RunHeartbeat,
}


def make_event(
    number: int, payload: BaseModel, second: int, agent_id: str | None, run_id: UUID = RUN, named: str = "sage"
) -> AnyRunEvent:
    """Make an event of a payload; one that needs an agent's name is given `named`."""
    # Event ids do not grow with the sequence, so that ties in time are broken against it, too.
    event_id = f"e{(number * 7) % 11}-{number}"
    event_type = _EVENT_OF[type(payload)]
    name = agent_id or (named if event_type in {RunStarted, RunRecorded, RunLogged} else None)
    return event_type(**{**common(event_id, second, name), "run_id": run_id}, data=payload)


@st.composite
def histories(draw: st.DrawFn, max_size: int = 10) -> list[AnyRunEvent]:
    """Draw the events of one run of one agent, each with an id of its own."""
    rows = draw(st.lists(st.tuples(payloads, _seconds, _agents), min_size=1, max_size=max_size))
    events = [make_event(number, *row) for number, row in enumerate(rows)]
    return [started(second=draw(_seconds)), *events]
