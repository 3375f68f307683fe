"""Stage 1 recounted without the processors: each run from the list of all that was said of it, in one go.

Nothing here is incremental, and nothing is imported but what events and records look like.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from runledger.schemas.identifiers import row_id
from runledger.schemas.outcomes import RunOutcome
from runledger.schemas.run_events import (
    AnyRunEvent,
    FailureRecorded,
    FailureResolved,
    RunEnded,
    RunLogged,
    RunRecorded,
    RunStarted,
    RunTimedOut,
    UsageReported,
)
from runledger.schemas.usage import TokenUsage, UsageTotals

Fields: TypeAlias = dict[str, Any]
Price: TypeAlias = Callable[[TokenUsage, datetime], Decimal | None]
Cost: TypeAlias = tuple[Decimal | None, str]

COUNTS = [field.name for field in fields(UsageTotals) if field.name != "cost_usd"]
TOKENS = [name for name in COUNTS if name.endswith("_tokens")]
ENDS = (RunEnded, RunRecorded, RunLogged)
LEAD = timedelta(minutes=5)


@dataclass(frozen=True)
class Said:
    """One distinct event, where it first stood in the log."""

    offset: int
    logged_at: datetime
    event: AnyRunEvent

    @property
    def is_ahead(self) -> bool:
        return self.event.occurred_at > self.logged_at + LEAD

    @property
    def occurred_at(self) -> datetime:
        return self.logged_at if self.is_ahead else self.event.occurred_at

    @property
    def rank(self) -> tuple[datetime, str]:
        return self.occurred_at, self.event.event_id


def counted(life: Sequence[Said]) -> list[Said]:
    """Leave out what says nothing of the run: detached failures, resolutions, timeouts that came too late."""
    kept: list[Said] = []
    for said in life:
        event = said.event
        if isinstance(event, FailureResolved) or (isinstance(event, FailureRecorded) and event.data.detached):
            continue
        if isinstance(event, RunTimedOut):
            ended = any(isinstance(other.event, (*ENDS, RunTimedOut)) for other in kept)
            if not kept or ended or kept[-1].offset + 1 != event.data.last_version:
                continue
        kept.append(said)
    return kept


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _cost(usage: TokenUsage, at: datetime, price: Price) -> Cost:
    if usage.cost_usd is not None:
        return usage.cost_usd, "reported"
    estimate = price(usage, at) if usage.model is not None and any(getattr(usage, name) for name in TOKENS) else None
    return estimate, "unknown" if estimate is None else "estimated"


def _reported(reports: Sequence[tuple[TokenUsage, datetime]], price: Price) -> tuple[UsageTotals, str]:
    """Add up the reports."""
    usages = [usage for usage, _ in reports]
    sums = {name: _sum([getattr(usage, name) for usage in usages]) for name in COUNTS}
    sums["total_tokens"] = _sum(
        [
            usage.total_tokens if usage.total_tokens is not None else _sum([usage.input_tokens, usage.output_tokens])
            for usage in usages
        ]
    )
    costs = [_cost(usage, at, price) for usage, at in reports]
    known = [cost for cost, _ in costs if cost is not None]
    sources = {
        source
        for usage, (cost, source) in zip(usages, costs, strict=True)
        if cost is not None or any(getattr(usage, name) for name in TOKENS)
    }
    source = "mixed" if len(sources) > 1 else next(iter(sources), "unknown")
    return UsageTotals(**sums, cost_usd=sum(known, Decimal(0)) if known else None), source


def _final(usage: TokenUsage, at: datetime, price: Price) -> tuple[UsageTotals, str]:
    """Read an end's own usage."""
    told = {name: getattr(usage, name) for name in COUNTS}
    if usage.total_tokens is None and None not in (usage.input_tokens, usage.output_tokens):
        told["total_tokens"] = _sum([usage.input_tokens, usage.output_tokens])
    cost_usd, source = _cost(usage, at, price)
    return UsageTotals(**told, cost_usd=cost_usd), source


def _used(reported: UsageTotals, source: str, final: UsageTotals, final_source: str) -> tuple[UsageTotals, str]:
    """Let the final win field by field (docs/ledger.md, "What a run used")."""
    used = {name: getattr(reported if getattr(final, name) is None else final, name) for name in COUNTS}
    if final.total_tokens is None and (final.input_tokens, final.output_tokens) != (None, None):
        used["total_tokens"] = _sum([used["input_tokens"], used["output_tokens"]])
    same_tokens = (used["input_tokens"], used["output_tokens"]) == (reported.input_tokens, reported.output_tokens)
    sum_stands = reported.cost_usd is not None and (source in {"reported", "mixed"} or same_tokens)
    if final_source == "reported" or (final.cost_usd is not None and not sum_stands):
        return UsageTotals(**used, cost_usd=final.cost_usd), final_source
    return UsageTotals(**used, cost_usd=reported.cost_usd), "unknown" if reported.cost_usd is None else source


def _mismatch(reported: UsageTotals, final: UsageTotals, final_source: str) -> bool:
    names = [*COUNTS, "cost_usd"] if final_source == "reported" else COUNTS
    pairs = [(getattr(final, name), getattr(reported, name)) for name in names]
    return any(told is not None and known is not None and told < known for told, known in pairs)


def _usage(told: Sequence[Said], end: Said | None, price: Price) -> Fields:
    reports = [
        (said.event.data.token_usage, said.occurred_at) for said in told if isinstance(said.event, UsageReported)
    ]
    reported, source = _reported(reports, price)
    known: Fields = {"reported": reported, "reported_cost_source": source}
    nothing: Fields = {"final": None, "final_cost_source": "unknown", "usage_mismatch": False}
    if end is None or not isinstance(end.event, RunEnded) or end.event.data.token_usage is None:
        return known | nothing | {"usage": reported, "cost_source": source}
    final, final_source = _final(end.event.data.token_usage, end.occurred_at, price)
    used, used_source = _used(reported, source, final, final_source)
    return known | {
        "final": final,
        "final_cost_source": final_source,
        "usage_mismatch": _mismatch(reported, final, final_source),
        "usage": used,
        "cost_source": used_source,
    }


def _models(told: Sequence[Said]) -> tuple[str, ...]:
    usages = [
        said.event.data.token_usage
        for said in told
        if isinstance(said.event, (UsageReported, RunEnded)) and said.event.data.token_usage is not None
    ]
    return tuple(sorted({usage.model for usage in usages if usage.model is not None})[:32])


def _told_by_end(event: AnyRunEvent) -> Fields:
    """What an end says (docs/ledger.md, "How a run ends")."""
    if isinstance(event, RunEnded):
        outcome = {"completed": "success", "failed": "failed", "interrupted": "partial"}[event.data.status]
        said = {} if event.data.summary is None else {"summary": event.data.summary}
        actions = {**event.data.meta, **said}
        return _end_fields("lifecycle", event.data.status, outcome, event.data.summary, actions)
    if isinstance(event, RunRecorded):
        ticket = {} if event.data.ticket is None else {"ticket": event.data.ticket}
        actions = {**event.data.meta, "summary": event.data.summary, **ticket}
        return _end_fields("record", "completed", "success", event.data.summary, actions)
    assert isinstance(event, RunLogged)
    status = "failed" if event.data.status == "failed" else "completed"
    return _end_fields("log", status, event.data.status, None, event.data.actions_taken)


def _end_fields(kind: str, status: str, outcome: str, summary: str | None, actions: Fields) -> Fields:
    return {"kind": kind, "status": status, "outcome": outcome, "end_summary": summary, "actions_taken": actions}


def _end(kept: Sequence[Said]) -> tuple[Said | None, Fields]:
    """Find the end that counts, and say what it says."""
    explicit = sorted((said for said in kept if isinstance(said.event, ENDS)), key=lambda said: said.rank)
    inferred = [said for said in kept if isinstance(said.event, RunTimedOut)]
    told = [_told_by_end(said.event) for said in explicit]
    fields: Fields = {
        "timed_out": bool(inferred),
        "inferred": bool(inferred) and not explicit,
        "end_conflict": len({(one["status"], one["outcome"]) for one in told}) > 1,
    }
    if not explicit and not inferred:
        nothing = dict.fromkeys(
            ["outcome", "end_summary", "actions_taken", "ended_at", "end_event_id", "end_logged_at"]
        )
        return None, fields | nothing | {"kind": "lifecycle", "status": "running"}
    first = min((*explicit, *inferred), key=lambda said: said.offset)
    end = explicit[0] if explicit else inferred[0]
    fields |= told[0] if explicit else _end_fields("lifecycle", "interrupted", "failed", None, {})
    ended_at = end.occurred_at if explicit else end.event.occurred_at
    return end, fields | {
        "ended_at": ended_at,
        "end_event_id": end.event.event_id,
        "end_logged_at": first.logged_at,
    }


def _start(told: Sequence[Said]) -> Fields:
    starts = sorted((said for said in told if isinstance(said.event, RunStarted)), key=lambda said: said.rank)
    if not starts:
        return dict.fromkeys(["started_at", "start_event_id", "summary", "parent_run_id", "task_id"])
    event = starts[0].event
    assert isinstance(event, RunStarted)
    return {
        "started_at": starts[0].occurred_at,
        "start_event_id": event.event_id,
        "summary": event.data.summary,
        "parent_run_id": event.data.parent_run_id,
        "task_id": event.data.task_id,
    }


def run_of(kept: Sequence[Said], naming: Sequence[Said], price: Price) -> Fields:
    """Say what a run's snapshot must hold.

    Args:
        kept: all that counts of the run's present life, in log order.
        naming: those that may name its agent.
        price: estimates costs.
    """
    told = [said for said in kept if not isinstance(said.event, RunTimedOut)]
    end, ended = _end(kept)
    name = min(naming, key=lambda said: said.rank, default=None)
    traced = [said.event.data.traces for said in told if isinstance(said.event, (UsageReported, RunEnded))]
    return {
        "project_key": told[0].event.project_key,
        "run_id": told[0].event.run_id,
        "born_offset": kept[0].offset,
        "version": kept[-1].offset + 1,
        "last_logged_at": max(said.logged_at for said in kept),
        "heard_at": max(said.logged_at for said in told),
        "agent_id": None if name is None else name.event.agent_id,
        "agent_rank": None if name is None else name.rank,
        "last_occurred_at": max(said.occurred_at for said in told),
        "events": len(told),
        "failures": sum(isinstance(said.event, FailureRecorded) for said in told),
        "traces": sum(map(len, traced)),
        "models": _models(told),
        "clock_clamped": any(said.is_ahead for said in told),
        **_start(told),
        **ended,
        **_usage(told, end if ended["inferred"] is False else None, price),
    }


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def is_silent(run: Fields) -> bool:
    """No trace, no end summary, nothing in the actions, and no word of there having been no work."""
    leaves = [run["end_summary"], *_leaves(run["actions_taken"])]
    blank = all(leaf is None or (isinstance(leaf, str) and not leaf.strip()) for leaf in leaves)
    return blank and not run["traces"] and "no_work" not in run["actions_taken"]


def outcome_of(run: Fields, agent_id: str, revision: int) -> RunOutcome:
    """Say the outcome of an ended run."""
    summary = run["actions_taken"].get("summary")
    same = ["project_key", "run_id", "kind", "inferred", "ended_at", "actions_taken", "usage", "cost_source"]
    return RunOutcome(
        agent_id=agent_id,
        row_id=row_id(run["project_key"], run["run_id"]),
        revision=revision,
        status=run["outcome"],
        run_status=run["status"],
        silent=is_silent(run),
        logged_at=run["end_logged_at"],
        action_summary=summary if isinstance(summary, str) else None,
        **{name: run[name] for name in [*same, "started_at", "failures", "traces", "models"]},
    )


def words(outcome: RunOutcome) -> tuple[object, ...]:
    """What an outcome says: it is said again when this changes."""
    said = (outcome.agent_id, outcome.kind, outcome.status, outcome.run_status, outcome.inferred, outcome.silent)
    return (*said, outcome.ended_at, repr(sorted(outcome.actions_taken.items())), outcome.action_summary)


@dataclass(frozen=True)
class Told:
    """A run recounted: its snapshot, and every outcome with the place in its life that brought it about."""

    run: Fields
    outcomes: tuple[tuple[int, RunOutcome], ...]


def recount(life: Sequence[Said], unclaimed: Collection[int], price: Price) -> Told | None:
    """Recount one life of a run, look by look: what is said depends on when it was first known.

    Args:
        life: distinct events in log order.
        unclaimed: numbers of events behind which the deadline passed for an ended run without an agent.
        price: estimates costs.
    """
    outcomes: list[tuple[int, RunOutcome]] = []
    naming: list[Said] = []
    run: Fields | None = None
    for number in range(1, len(life) + 1):
        kept = counted(life[:number])
        if kept and kept[-1] is life[number - 1]:
            name = kept[-1].event.agent_id
            may_name = not isinstance(kept[-1].event, RunTimedOut) and name is not None
            if may_name and (not outcomes or (run is not None and name == run["agent_id"])):
                naming.append(kept[-1])
            run = run_of(kept, naming, price)
            timed_out = isinstance(kept[-1].event, RunTimedOut)
            _say(run, outcomes, number, nameless=timed_out)
        if number in unclaimed and run is not None:
            _say(run, outcomes, number, nameless=True)
    return None if run is None else Told(run | {"outcome_revision": len(outcomes)}, tuple(outcomes))


def _say(run: Fields, outcomes: list[tuple[int, RunOutcome]], number: int, *, nameless: bool) -> None:
    agent_id = run["agent_id"] or ("unknown" if nameless or outcomes else None)
    if run["ended_at"] is None or agent_id is None:
        return
    outcome = outcome_of(run, agent_id, len(outcomes) + 1)
    if not outcomes or words(outcome) != words(outcomes[-1][1]):
        outcomes.append((number, outcome))
