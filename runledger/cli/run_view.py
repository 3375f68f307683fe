"""What is shown of one run: what it was, what it used, what happened, what failed, how it was scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from runledger.analytics.readings import FailureReading, RunReading
from runledger.analytics.run_account import FailureKindReading, ModelReading, RunAccount
from runledger.analytics.run_steps import Step
from runledger.analytics.run_story import DeliveredEvent
from runledger.cli.event_lines import STATUS_STYLES, what_happened
from runledger.cli.formats import ago, count, moment, score, took, usd
from runledger.cli.steps_tree import steps_tree
from runledger.cli.tables import Column, FittingTable
from runledger.cli.terminal import plain

_SHORT = 12
_BAR_COLUMNS = 20
_ERROR_LINES = 12
_USUAL = {"completed": "success", "failed": "failed", "interrupted": "partial"}
_KIND_STYLES = {"open": "red", "regressed": "bold red", "resolved": "green"}


@dataclass(frozen=True, slots=True)
class RunShown:
    """All that is shown of a run.

    Args:
        account: the run, its usage and its failures.
        events: the first of its deliveries, in the order of the log.
        more_events: there are more of them.
        steps: the first of its trace entries.
    """

    project_key: str
    account: RunAccount
    events: Sequence[DeliveredEvent]
    more_events: bool
    steps: Sequence[Step]


def run_document(shown: RunShown) -> dict[str, object]:
    """Write a run for programs; run, failures and log as the read API's route /runs/{run_id} does."""
    account = shown.account
    return {
        "project_key": shown.project_key,
        "run": asdict(account.found.run),
        "usage": asdict(account.usage),
        "models": [asdict(model) for model in account.models],
        "log": None if account.found.log is None else asdict(account.found.log),
        "failures": [asdict(failure) for failure in account.found.failures],
        "failure_kinds": [asdict(kind) for kind in account.failure_kinds],
        "events": [asdict(event) for event in shown.events],
        "more_events": shown.more_events,
        "traces": [asdict(step) for step in shown.steps],
    }


def run_view(shown: RunShown, now: datetime) -> Group:
    """Put together what a terminal shows of a run."""
    account = shown.account
    parts: list[RenderableType] = [_facts(shown, now)]
    if account.models:
        parts += [_head("Usage by model"), _models_table(account.models)]
    if dimensions := account.found.run.score_dimensions:
        parts += [_head("Score"), _scores(dimensions)]
    if account.failure_kinds:
        parts += [_head("Failures"), *_failures(account.failure_kinds, account.found.failures, now)]
    if shown.events:
        parts += [_head("Timeline"), *_timeline(shown)]
    if shown.steps:
        parts += [Text(), steps_tree(shown.steps, f"Traces ({len(shown.steps):,})")]
    return Group(*parts)


def _head(words: str) -> Text:
    return Text(f"\n{words}", style="bold")


def _facts(shown: RunShown, now: datetime) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, words in _named(shown, now):
        grid.add_row(name, words)
    return grid


def _named(shown: RunShown, now: datetime) -> Iterator[tuple[str, Text]]:
    run = shown.account.found.run
    log = shown.account.found.log
    facts: tuple[tuple[str, str | None], ...] = (
        ("agent", run.agent_id),
        ("task", run.task_id),
        ("parent", None if run.parent_run_id is None else str(run.parent_run_id)),
        ("means to", run.summary),
        ("came to", run.end_summary or (None if log is None else log.action_summary)),
        ("started", None if run.started_at is None else moment(run.started_at)),
        ("ended", _ended(run)),
        ("heard", f"{moment(run.heard_at)}, {ago(run.heard_at, now)}"),
        ("used", _used(shown.account)),
        ("streaks", _streaks(shown.account)),
        ("score", None if run.score is None else score(run.score)),
        ("children", count(shown.account.usage.child_count) if shown.account.usage.child_count else None),
    )
    yield "run", Text(str(run.run_id), style="bold")
    yield "project", Text(shown.project_key)
    told = run.outcome is None or run.outcome == _USUAL.get(run.status)
    outcome = "" if told else f", logged as {run.outcome}"
    yield "status", Text(f"{run.status}{outcome}", style=STATUS_STYLES.get(run.outcome or run.status, "cyan"))
    for name, words in facts:
        if words:
            yield name, Text(plain(" ".join(words.split())))
    for remark in _remarks(shown.account):
        yield "note", Text(remark, style="yellow")


def _ended(run: RunReading) -> str | None:
    if run.ended_at is None:
        return None
    if run.started_at is None:
        return moment(run.ended_at)
    return f"{moment(run.ended_at)}, after {took((run.ended_at - run.started_at).total_seconds())}"


def _used(account: RunAccount) -> str | None:
    run = account.found.run
    parts = (
        run.llm_calls is not None and f"{count(run.llm_calls)} calls",
        run.input_tokens is not None and f"{count(run.input_tokens)} in",
        run.cache_read_tokens and f"{count(run.cache_read_tokens)} of them cached",
        run.output_tokens is not None and f"{count(run.output_tokens)} out",
        run.total_tokens is not None and f"{count(run.total_tokens)} tokens",
        run.cost_usd is not None and f"{usd(run.cost_usd)} {run.cost_source}",
        run.cost_usd is None and run.total_tokens and "cost unknown",
    )
    return ", ".join(part for part in parts if part) or None


def _streaks(account: RunAccount) -> str | None:
    run = account.found.run
    if run.consecutive_silence_count is None:
        return None
    return f"{run.consecutive_silence_count} silent, {run.consecutive_failure_count} failed in a row up to this run"


def _remarks(account: RunAccount) -> Iterator[str]:
    run = account.found.run
    told = (
        (run.silent, "silent: it shows no action, no trace and no summary"),
        (run.timed_out, "it timed out: nothing was heard of it within its deadline"),
        (run.end_conflict, "its ends contradict each other; the earlier one counts"),
        (run.usage_mismatch, "its end states less than its reports add up to"),
        (run.late_events, "events came after it had left memory; they are in no total"),
        (account.usage.clock_clamped, "its clock ran ahead of the log's; times were set back"),
    )
    for is_so, words in told:
        if is_so:
            yield words


def _models_table(models: Sequence[ModelReading]) -> FittingTable:
    table = FittingTable(
        Column("model", gives="fold"),
        Column("reports", right=True, leaves=2),
        Column("calls", right=True, leaves=3),
        Column("input", right=True, leaves=1),
        Column("output", right=True, leaves=1),
        Column("tokens", right=True),
        Column("cost", right=True),
    )
    for model in models:
        name = Text(plain(model.model or "(none named)"))
        if model.at_end:
            name.append("  final, of the whole run", "dim")
        cost = usd(model.stated_cost_usd)
        if 0 < model.reports_with_cost < model.reports:
            cost += "+"  # others stated none
        numbers = (model.llm_calls, model.input_tokens, model.output_tokens, model.total_tokens)
        table.add(name, count(model.reports), *map(count, numbers), cost)
    return table


def _scores(dimensions: dict[str, float]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, value in sorted(dimensions.items()):
        filled = round(max(0.0, min(1.0, value)) * _BAR_COLUMNS)
        bar = Text("█" * filled, style="green").append("░" * (_BAR_COLUMNS - filled), "dim")
        table.add_row(Text(plain(name)), Text(score(value)), bar)
    return table


def _failures(
    kinds: Sequence[FailureKindReading], failures: Sequence[FailureReading], now: datetime
) -> Iterator[RenderableType]:
    newest = {failure.fingerprint: failure for failure in reversed(failures)}
    for kind in kinds:
        line = Text(kind.fingerprint[:_SHORT])
        line.append(f"  {kind.state}", _KIND_STYLES[kind.state])
        here = "" if kind.failures_in_run == 1 else f" {count(kind.failures_in_run)} times"
        line.append(f"  met{here} here, {count(kind.failure_count)} in all, last {ago(kind.last_seen_at, now)}", "dim")
        yield line
        failure = newest.get(kind.fingerprint)
        if failure is None:
            continue
        yield Text(f"  {plain(' '.join(failure.summary.split()))}")
        for error_line in (failure.error or "").splitlines()[:_ERROR_LINES]:
            yield Text(f"    {plain(error_line)}", style="dim")


def _timeline(shown: RunShown) -> Iterator[Text]:
    began = min(event.occurred_at for event in shown.events)
    for event in sorted(shown.events, key=lambda event: (event.occurred_at, event.log_offset)):
        line = Text(f"{'+' + took((event.occurred_at - began).total_seconds()):>9}  ", "dim", no_wrap=True)
        line.overflow = "ellipsis"
        line.append(what_happened(event.type, event.data or {}))
        if event.data is None:
            line.append(f"  too large to show: {count(event.data_bytes)} bytes", "dim")
        if event.repeated:
            line.append("  delivered again, counted once", "yellow")
        yield line
    if shown.more_events:
        yield Text("… and more; --events shows more of them", style="dim")
