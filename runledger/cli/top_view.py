"""One screen: how the pipeline and the agents are, what runs now, what ended last, what the day has cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from runledger.analytics.auditor import Audit
from runledger.analytics.cost_table import CostSums
from runledger.analytics.run_list import ListedRun
from runledger.analytics.strips import StripOutcome
from runledger.analytics.verdicts import AgentState, AuditedAgent
from runledger.cli.agents_view import STATE_STYLES, ListedAgents, agents_document, state_text
from runledger.cli.formats import ago, clock, count, tokens, took, usd
from runledger.cli.run import runs_table
from runledger.cli.strip import strip_text
from runledger.cli.tables import Column, FittingTable
from runledger.cli.terminal import plain

_HEAD_LINES = 7
"""Lines that are neither an agent nor a run: the head, two table heads, two empty lines, the foot."""
_LEAST_ROWS = 3
_URGENCY: tuple[AgentState, ...] = ("failing", "silent", "quiet", "never_reported", "healthy", "expected", "retired")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is shown, true of about one moment.

    Args:
        project: whose.
        audit: its agents.
        strips: {(project, agent): outcomes, the oldest first} of those shown.
        runs: those that go on, then those heard of last.
        more_running: more go on than are among `runs`.
        today: what ended since the day began in UTC.
    """

    project: str
    audit: Audit
    strips: Mapping[tuple[str, str], Sequence[StripOutcome]]
    runs: Sequence[ListedRun]
    more_running: bool
    today: CostSums

    @property
    def running(self) -> int:
        """How many of the runs go on."""
        return sum(run.status == "running" for run in self.runs)


def most_urgent(agents: Sequence[AuditedAgent]) -> list[AuditedAgent]:
    """Sort agents: those that need a look first, then those heard of last."""

    def place(agent: AuditedAgent) -> tuple[int, float, str]:
        seen = 0.0 if agent.last_seen_at is None else agent.last_seen_at.timestamp()
        return _URGENCY.index(agent.state), -seen, agent.agent_id

    return sorted(agents, key=place)


def top_document(snapshot: Snapshot) -> dict[str, object]:
    """Write a snapshot for programs."""
    document = agents_document(ListedAgents(snapshot.audit, snapshot.strips))
    return {
        "project_key": snapshot.project,
        **document,
        "states": Counter(agent.state for agent in snapshot.audit.agents),
        "running": snapshot.running,
        "more_running": snapshot.more_running,
        "today": {
            "runs": snapshot.today.all_runs,
            "total_tokens": snapshot.today.total_tokens,
            "cost_usd": snapshot.today.total_usd,
            "runs_cost_unknown": snapshot.today.runs.get("unknown", 0),
        },
        "runs": [asdict(run) for run in snapshot.runs],
    }


def top_view(snapshot: Snapshot, height: int | None = None, remark: str | None = None) -> Group:
    """Put together one screen.

    Args:
        snapshot: what is known.
        height: lines there are; None for as many as it takes.
        remark: said at the foot, such as that the database is away.
    """
    agents = most_urgent(snapshot.audit.agents)
    for_agents, for_runs = _shares(len(agents), len(snapshot.runs), height)
    parts: list[RenderableType] = [*_head(snapshot), Text()]
    parts.append(_agents_table(snapshot, agents[:for_agents]) if agents else Text("No agent is known.", style="dim"))
    if hidden := len(agents) - for_agents:
        parts.append(Text(f"… {hidden:,} more: runledger agents list", style="dim"))
    parts.append(Text())
    runs = snapshot.runs[:for_runs]
    parts.append(runs_table(runs, snapshot.audit.pipeline.read_at) if runs else Text("No run is known.", style="dim"))
    if remark is not None:
        parts.append(Text(f"\n{remark}", style="yellow", no_wrap=True, overflow="ellipsis"))
    return Group(*parts)


def _shares(agents: int, runs: int, height: int | None) -> tuple[int, int]:
    """Share the lines there are: agents get half, or what runs leave."""
    if height is None:
        return agents, runs
    rows = max(2 * _LEAST_ROWS, height - _HEAD_LINES - 3)
    for_agents = min(agents, max(rows // 2, rows - runs))
    return for_agents, min(runs, rows - for_agents)


def _head(snapshot: Snapshot) -> Iterator[Text]:
    pipeline = snapshot.audit.pipeline
    line = Text("runledger", style="bold", no_wrap=True, overflow="ellipsis")
    line.append(f"  project {snapshot.project}  {clock(pipeline.read_at)}Z  ", "default")
    if pipeline.lag_seconds is None:
        line.append("pipeline unknown: no watch has told", "yellow")
    else:
        style = "green" if pipeline.state == "current" else "yellow"
        line.append(f"pipeline {pipeline.state}, {took(pipeline.lag_seconds)} behind", style)
    yield line
    states = Counter(agent.state for agent in snapshot.audit.agents)
    told = Text("agents ", no_wrap=True, overflow="ellipsis")
    for state in _URGENCY:
        if states[state]:
            told.append(f" {states[state]} {state.replace('_', ' ')}", STATE_STYLES[state])
    yield told
    running = f"{snapshot.running}{'+' if snapshot.more_running else ''} running"
    yield Text(f"runs    {running}, today {_today(snapshot.today)}", no_wrap=True, overflow="ellipsis")


def _today(today: CostSums) -> str:
    if not today.all_runs:
        return "none ended"
    unknown = today.runs.get("unknown", 0)
    cost = f"{usd(today.total_usd)}{f' ({unknown:,} of unknown cost)' if unknown else ''}"
    return f"{count(today.all_runs)} ended, {tokens(today.total_tokens)} tokens, {cost}"


def _agents_table(snapshot: Snapshot, agents: Sequence[AuditedAgent]) -> FittingTable:
    table = FittingTable(
        Column("agent", gives="cut"),
        Column("state"),
        Column("last runs", leaves=1),
        Column("in a row", right=True, leaves=3),
        Column("runs", right=True, leaves=2),
        Column("last seen", right=True),
    )
    for agent in agents:
        table.add(
            plain(agent.agent_id),
            state_text(agent.state),
            strip_text(snapshot.strips.get((agent.project_key, agent.agent_id), ())),
            _streaks(agent),
            count(agent.finished_runs),
            ago(agent.last_seen_at, snapshot.audit.pipeline.read_at),
        )
    return table


def _streaks(agent: AuditedAgent) -> Text:
    """Say what goes on in a row: nothing where the last run was well."""
    told = Text()
    for length, threshold, word in (
        (agent.consecutive_failure_count, agent.failure_threshold, "failed"),
        (agent.consecutive_silence_count, agent.silence_threshold, "silent"),
    ):
        if length:
            told.append(", " if told else "")
            told.append(f"{count(length)} {word}", "red" if length >= threshold else "yellow")
    return told
