"""One line for each event: when, whose, what, and the most telling of what it says."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from rich.text import Text

from runledger.cli.formats import UNKNOWN, count, stamp, usd
from runledger.cli.terminal import plain
from runledger.schemas.run_events import AnyRunEvent
from runledger.subscribers import Received


class Kind(StrEnum):
    """Short names of the types of events."""

    STARTED = "started"
    USAGE = "usage"
    ENDED = "ended"
    FAILURE = "failure"
    RECORDED = "recorded"
    LOGGED = "logged"
    HEARTBEAT = "heartbeat"
    TIMED_OUT = "timed-out"
    RESOLVED = "resolved"
    ERASED = "erased"


NAMES = {
    Kind.STARTED: "runledger.run.started.v1",
    Kind.USAGE: "runledger.usage.reported.v1",
    Kind.ENDED: "runledger.run.ended.v1",
    Kind.FAILURE: "runledger.failure.recorded.v1",
    Kind.RECORDED: "runledger.run.recorded.v1",
    Kind.LOGGED: "runledger.run.logged.v1",
    Kind.HEARTBEAT: "runledger.run.heartbeat.v1",
    Kind.TIMED_OUT: "runledger.run.timed_out.v1",
    Kind.RESOLVED: "runledger.failure.resolved.v1",
    Kind.ERASED: "runledger.run.erased.v1",
}
_SHORT = {full: str(short) for short, full in NAMES.items()}
_STYLES = {
    "started": "cyan",
    "usage": "dim",
    "ended": "bold",
    "failure": "red",
    "recorded": "bold",
    "logged": "bold",
    "heartbeat": "dim",
    "timed-out": "yellow",
    "resolved": "green",
    "erased": "magenta",
}
STATUS_STYLES = {
    "completed": "green",
    "success": "green",
    "partial": "yellow",
    "interrupted": "yellow",
    "failed": "red",
}
_WHO_COLUMNS, _TYPE_COLUMNS = 24, 9
_RUNS_KEPT = 10_000


class RunAgents:
    """Remembers whose the runs are that were heard of last: most events of a run do not name its agent."""

    def __init__(self, most: int = _RUNS_KEPT) -> None:
        self._most = most
        self._agents: OrderedDict[tuple[str, UUID], str] = OrderedDict()

    def of(self, event: AnyRunEvent) -> str | None:
        """Say whose run an event is of; None as long as no event said so."""
        key = event.project_key, event.run_id
        agent_id = event.agent_id or self._agents.get(key)
        if agent_id is not None:
            self._agents[key] = agent_id
            self._agents.move_to_end(key)
        if len(self._agents) > self._most:
            self._agents.popitem(last=False)
        return agent_id


def event_line(received: Received[AnyRunEvent], agent_id: str | None, today: date) -> Text:
    """Write one event on one line; nothing in it is obeyed by a terminal.

    Args:
        received: the event, and when the log took it.
        agent_id: whose run it is of, if that is known.
        today: the date in UTC, which need not be said.
    """
    event = received.value
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(stamp(received.logged_at, today), "dim")
    line.append(f"  {plain(f'{event.project_key}/{agent_id or UNKNOWN}'):<{_WHO_COLUMNS}}")
    line.append(f"  {event.run_id.hex[:8]}", "dim")
    line.append("  ")
    line.append(what_happened(event.type, event.data.model_dump(mode="json")))
    return line


def what_happened(type_: str, data: Mapping[str, Any]) -> Text:
    """Write what an event is, and the most telling of what it says, on one line."""
    short = _SHORT.get(type_, plain(type_))
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"{short:<{_TYPE_COLUMNS}}", _STYLES.get(short, ""))
    if (status := data.get("status")) is not None:
        line.append(f"  {plain(str(status))}", STATUS_STYLES.get(status, ""))
    if said := plain(" ".join(said_of(type_, data).split())):
        line.append(f"  {said}")
    line.rstrip()
    return line


def said_of(type_: str, data: Mapping[str, Any]) -> str:
    """Say the most telling of an event, its status aside; it may hold anything that an agent wrote.

    Args:
        type_: of the event.
        data: its payload, as JSON has it.
    """
    say = _SAID.get(_SHORT.get(type_, ""))
    return "" if say is None else say(data)


def usage_words(usage: Mapping[str, Any]) -> str:
    """Say what was used, as far as it was told."""
    given = {name: value for name, value in usage.items() if value is not None}
    parts = [str(given["model"])] if "model" in given else []
    tokens = [(name, word) for name, word in (("input_tokens", "in"), ("output_tokens", "out")) if name in given]
    if not tokens and "total_tokens" in given:
        tokens = [("total_tokens", "tokens")]
    parts += [f"{count(int(given[name]))} {word}" for name, word in tokens]
    if "cost_usd" in given:
        parts.append(usd(Decimal(str(given["cost_usd"]))))
    return ", ".join(parts)


def _started(data: Mapping[str, Any]) -> str:
    task = f"[task {data['task_id']}] " if data.get("task_id") else ""
    return task + (data.get("summary") or "")


def _used(data: Mapping[str, Any]) -> str:
    traces = len(data.get("traces") or ())
    told = f"{traces} {'trace' if traces == 1 else 'traces'}" if traces else ""
    return ", ".join(part for part in (usage_words(data.get("token_usage") or {}), told) if part)


def _ended(data: Mapping[str, Any]) -> str:
    final = usage_words(data.get("token_usage") or {})
    return (data.get("summary") or _brief(data.get("meta"))) + (f" (final: {final})" if final else "")


def _failed(data: Mapping[str, Any]) -> str:
    return ": ".join(part for part in (data.get("summary"), data.get("error")) if part)


def _logged(data: Mapping[str, Any]) -> str:
    actions = data.get("actions_taken") or {}
    summary = actions.get("summary")
    return summary if isinstance(summary, str) else _brief(actions)


def _resolved(data: Mapping[str, Any]) -> str:
    who = f" by {data['by']}" if data.get("by") else ""
    return f"{data.get('fingerprint', '')[:12]}{who}" + (f": {data['note']}" if data.get("note") else "")


def _brief(document: Mapping[str, Any] | None) -> str:
    return orjson.dumps(document, default=str).decode() if document else ""


_SAID: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "started": _started,
    "usage": _used,
    "ended": _ended,
    "failure": _failed,
    "recorded": lambda data: data.get("summary") or "",
    "logged": _logged,
    "timed-out": lambda _data: "nothing was heard of it within its deadline",
    "resolved": _resolved,
    "erased": lambda data: data.get("reason") or "",
}


def event_document(received: Received[AnyRunEvent], agent_id: str | None) -> dict[str, object]:
    """Write one event for programs, with the names of the read API's route /runs/{run_id}/events."""
    event = received.value
    return {
        "log_partition": received.partition,
        "log_offset": received.offset,
        "logged_at": received.logged_at,
        "project_key": event.project_key,
        "run_id": event.run_id,
        "event_id": event.event_id,
        "type": event.type,
        "agent_id": event.agent_id,
        "run_agent_id": agent_id,
        "occurred_at": event.occurred_at,
        "source": event.source,
        "data": event.data.model_dump(mode="json"),
    }
