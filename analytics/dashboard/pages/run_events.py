"""Tell the events of a run: what each says, in words, with its JSON as it was delivered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias

from runledger.analytics.dashboard.formats import dollars
from runledger.analytics.dashboard.words import line, plain, pretty_json
from runledger.analytics.run_story import DeliveredEvent

MOST_EVENT_BYTES = 256 * 1024
"""JSON of one event; beyond that only its size is known here."""
MOST_PAGE_BYTES = 512 * 1024
"""JSON on one page: a browser must open it on a phone."""
_MOST_CHARACTERS = 400
_MOST_ERROR = 2000
Tone: TypeAlias = Literal["plain", "good", "bad", "warn", "faint"]


@dataclass(frozen=True, slots=True)
class EventView:
    """One delivery.

    Args:
        event: as it was read.
        title: its type, for people.
        tone: how it looks.
        says: the most telling of what it says.
        facts: further figures, in short.
        quote: text of the agent's that is better set apart: an error, a preview.
        after: since the run's start, by the agent's own times; None where that is unknown.
        raw: its JSON; None where it is too large to stand here.
    """

    event: DeliveredEvent
    title: str
    tone: Tone
    says: str | None
    facts: list[str]
    quote: str | None
    after: timedelta | None
    raw: str | None


@dataclass(frozen=True, slots=True)
class _Told:
    title: str
    tone: Tone
    says: str | None = None
    facts: tuple[str | None, ...] = ()
    quote: str | None = None


def tell_events(events: Iterable[DeliveredEvent], started_at: datetime | None) -> list[EventView]:
    """Put events into words, in their order.

    Args:
        events: deliveries of one run.
        started_at: when the run began, by the agent's own time.
    """
    views, room = [], MOST_PAGE_BYTES
    for event in events:
        raw = None
        if event.data is not None and event.data_bytes <= room:
            raw = pretty_json(_document(event), room)
            room -= max(event.data_bytes, len(raw))
        told = _tell(event.type, event.data or {})
        facts = [fact for fact in told.facts if fact]
        after = None if started_at is None else event.occurred_at - started_at
        views.append(EventView(event, told.title, told.tone, told.says, facts, told.quote, after, raw))
    return views


def _document(event: DeliveredEvent) -> dict[str, Any]:
    """Give the event by the names of docs/events.md."""
    return {
        "id": event.event_id,
        "type": event.type,
        "agentid": event.agent_id,
        "source": event.source,
        "time": event.occurred_at.isoformat(),
        "data": event.data,
    }


def _tell(type_: str, data: Mapping[str, Any]) -> _Told:  # noqa: PLR0911  # one for each type
    says = _text(data, "summary")
    match type_.removeprefix("runledger.").removesuffix(".v1"):
        case "run.started":
            return _Told("Started", "plain", says, (_named("task", data.get("task_id")),))
        case "usage.reported":
            return _usage(data)
        case "run.ended":
            status = data.get("status")
            tone: Tone = "good" if status == "completed" else "bad" if status == "failed" else "warn"
            facts = (*_figures(data.get("token_usage")), _steps(data))
            return _Told(f"Ended: {_text(data, 'status')}", tone, says, facts, _preview(data.get("token_usage")))
        case "failure.recorded":
            error = data.get("error")
            quote = plain(error.strip(), _MOST_ERROR) if isinstance(error, str) and error.strip() else None
            return _Told("Failure", "bad", says, (_named("task", data.get("task_id")),), quote)
        case "run.recorded":
            return _Told("Recorded in one call", "good", says, (_named("ticket", data.get("ticket")),))
        case "run.logged":
            return _logged(data)
        case "run.heartbeat":
            return _Told("Sign of life", "faint")
        case "run.timed_out":
            return _Told("Given up", "warn", "No event until the deadline, so Runledger took the run for interrupted.")
        case "failure.resolved":
            return _Told("Failure resolved", "good", _text(data, "note"), (_named("by", data.get("by")),))
        case other:
            return _Told(plain(other, 80), "plain")


def _usage(data: Mapping[str, Any]) -> _Told:
    usage = data.get("token_usage")
    figures, steps = _figures(usage), _steps(data)
    title = "Usage" if figures or not steps else "Step"
    return _Told(title, "plain", None, (*figures, steps), _preview(usage))


def _logged(data: Mapping[str, Any]) -> _Told:
    status, actions = data.get("status"), data.get("actions_taken")
    tone: Tone = "good" if status == "success" else "bad" if status == "failed" else "warn"
    says = _text(actions, "summary") if isinstance(actions, Mapping) else None
    return _Told(f"Logged: {_text(data, 'status')}", tone, says)


def _figures(usage: object) -> list[str]:
    if not isinstance(usage, Mapping):
        return []
    said: list[str] = []
    for name, title in (("input_tokens", "in"), ("output_tokens", "out")):
        if usage.get(name) is not None:
            said.append(f"{_number(usage[name])} {title}")
    if not said and usage.get("total_tokens") is not None:
        said.append(f"{_number(usage['total_tokens'])} tokens")
    if usage.get("llm_calls") is not None:
        said.append(f"{_number(usage['llm_calls'])} {'call' if usage['llm_calls'] == 1 else 'calls'}")
    if usage.get("cost_usd") is not None:
        said.append(_dollars(usage["cost_usd"]))
    if usage.get("model") is not None:
        said.append(plain(str(usage["model"]), 80))
    return said


def _preview(usage: object) -> str | None:
    return _text(usage, "prompt_preview") if isinstance(usage, Mapping) else None


def _steps(data: Mapping[str, Any]) -> str | None:
    traces = data.get("traces")
    if not isinstance(traces, list) or not traces:
        return None
    names = [step[key] for step in traces[:3] if isinstance(step, Mapping) for key in ("name", "tool") if step.get(key)]
    if len(traces) == 1 and names:
        return plain(str(names[0]), 80)
    return f"{len(traces)} {'step' if len(traces) == 1 else 'steps'}"


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return line(value, _MOST_CHARACTERS) if isinstance(value, str) else None


def _named(title: str, value: object) -> str | None:
    return f"{title} {plain(value, 120)}" if isinstance(value, str) and value.strip() else None


def _number(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, (int, float)) else plain(str(value), 40)


def _dollars(value: object) -> str:
    try:
        return dollars(Decimal(str(value)))
    except InvalidOperation:
        return plain(str(value), 40)
