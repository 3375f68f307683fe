"""What is shown of agents: a list with how their last runs went, and one agent in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from runledger.analytics.agent_story import AgentFailure, AgentOutcome, AgentStory
from runledger.analytics.auditor import Audit, read_audit
from runledger.analytics.database import Connection, Database
from runledger.analytics.strips import StripOutcome, read_strips
from runledger.analytics.verdicts import AgentState, AuditedAgent, Finding
from runledger.cli.event_lines import STATUS_STYLES
from runledger.cli.formats import ago, count, moment, score, share, tokens, took, usd
from runledger.cli.strip import legend, mark_of, strip_text
from runledger.cli.tables import Column, FittingTable
from runledger.cli.terminal import plain
from runledger.intervals import say_interval

MOST_STRIPS = 500
"""Strips are read for so many agents: nobody looks at more of them."""
_SHOWN_RUNS = 10
_SHORT = 12
STATE_STYLES: dict[AgentState, str] = {
    "failing": "bold red",
    "silent": "red",
    "quiet": "yellow",
    "never_reported": "yellow",
    "expected": "cyan",
    "healthy": "green",
    "retired": "dim",
}
_KIND_STYLES = {"open": "red", "regressed": "bold red", "resolved": "green"}


@dataclass(frozen=True, slots=True)
class ListedAgents:
    """Agents as they are judged, and their strips: {(project, agent): outcomes, the oldest first}."""

    audit: Audit
    strips: Mapping[tuple[str, str], Sequence[StripOutcome]]


async def read_agents(database: Database, project: str | None) -> ListedAgents:
    """Read the agents of a project, or of all, at one moment.

    Raises:
        UnknownProjectError: there is no such project.
        ReadUnavailableError: the database does not answer in time.
    """

    async def read(connection: Connection) -> ListedAgents:
        audit = await read_audit(connection, project)
        shown = [(agent.project_key, agent.agent_id) for agent in audit.agents[:MOST_STRIPS]]
        return ListedAgents(audit, await read_strips(connection, shown))

    return await database.answer(read)


def audit_remarks(audit: Audit) -> Iterator[str]:
    """Say what could not be judged, and why."""
    if not audit.judged:
        yield pipeline_words(audit) + ", so nobody is judged quiet"
    if audit.more_agents:
        yield f"only {len(audit.agents):,} agents were looked at; name a project to look at fewer"


def pipeline_words(audit: Audit) -> str:
    """Say how far the pipeline has come."""
    if audit.pipeline.lag_seconds is None:
        return "nobody knows how far the pipeline has come (`runledger worker watch` has never told)"
    return f"the pipeline is {took(audit.pipeline.lag_seconds)} behind"


def agents_document(listed: ListedAgents) -> dict[str, object]:
    """Write agents for programs."""
    names = (
        "project_key",
        "agent_id",
        "name",
        "role",
        "state",
        "findings",
        "last_seen_at",
        "expected_interval_seconds",
        "finished_runs",
        "consecutive_silence_count",
        "consecutive_failure_count",
    )
    agents: list[dict[str, object]] = [
        {name: getattr(agent, name) for name in names}
        | {"last_runs": [mark_of(outcome) for outcome in listed.strips.get((agent.project_key, agent.agent_id), ())]}
        for agent in listed.audit.agents
    ]
    return {"pipeline": asdict(listed.audit.pipeline), "judged": listed.audit.judged, "agents": agents}


def agents_table(listed: ListedAgents) -> FittingTable:
    """Show a line an agent, over all its runs."""
    table = FittingTable(
        Column("project", leaves=1 if len({agent.project_key for agent in listed.audit.agents}) == 1 else 0),
        Column("agent", gives="cut"),
        Column("name -- role", gives="cut", leaves=4),
        Column("state"),
        Column("last runs", leaves=3),
        Column("every", right=True, leaves=5),
        Column("last seen", right=True),
    )
    for agent in listed.audit.agents:
        table.add(
            agent.project_key,
            plain(agent.agent_id),
            plain(who(agent)),
            _found_text(agent),
            strip_text(listed.strips.get((agent.project_key, agent.agent_id), ())),
            say_interval(agent.expected_interval_seconds),
            ago(agent.last_seen_at, listed.audit.pipeline.read_at),
        )
    return table


def state_text(state: AgentState) -> Text:
    """Say how an agent is."""
    return Text(state.replace("_", " "), style=STATE_STYLES[state])


def _found_text(agent: AuditedAgent) -> Text:
    """Say all that was found of an agent, else its state."""
    words = ", ".join(agent.findings) or agent.state
    return Text(words.replace("_", " "), style=STATE_STYLES[agent.state])


def who(agent: AuditedAgent) -> str:
    """Say who an agent is, as on its card."""
    return " -- ".join(part for part in (agent.name, agent.role) if part)


def reason(agent: AuditedAgent) -> str:
    """Say in words what was found."""
    return ", ".join(_words(agent, finding) for finding in agent.findings)


def _words(agent: AuditedAgent, finding: Finding) -> str:
    unheard, every = took(agent.unheard_seconds or 0), say_interval(agent.expected_interval_seconds)
    match finding:
        case "failing":
            return f"failed {agent.consecutive_failure_count} times in a row"
        case "silent":
            return f"silent {agent.consecutive_silence_count} runs in a row"
        case "quiet":
            return f"not heard for {unheard}, expected every {every}"
        case "never_reported":
            return f"never heard in {unheard}, expected every {every}"


def agent_view(story: AgentStory) -> Group:
    """Put together what a terminal shows of one agent."""
    parts: list[RenderableType] = [_facts(story)]
    if story.outcomes:
        parts += [Text("\nLast runs", style="bold"), strip_text(story.outcomes), legend(), Text()]
        parts.append(_runs_table(story.outcomes[-_SHOWN_RUNS:][::-1], story.pipeline.read_at))
    if story.failures:
        parts += [Text("\nFailed by", style="bold"), _failures_table(story.failures, story.pipeline.read_at)]
    return Group(*parts)


def _facts(story: AgentStory) -> Table:
    agent, now = story.agent, story.pipeline.read_at
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("agent", Text(plain(agent.agent_id), style="bold"))
    grid.add_row("project", agent.project_key)
    if titles := who(agent):
        grid.add_row("is", Text(plain(titles)))
    grid.add_row("state", _found_text(agent).append(f"  {reason(agent)}" if agent.findings else "", "default"))
    if story.pipeline.state != "current":
        grid.add_row("note", Text("the pipeline is behind: whether it is quiet was not judged", style="yellow"))
    seen = "never" if agent.last_seen_at is None else f"{moment(agent.last_seen_at)}, {ago(agent.last_seen_at, now)}"
    grid.add_row("last seen", seen)
    grid.add_row("expected", f"every {say_interval(agent.expected_interval_seconds)}")
    grid.add_row("runs", f"{count(agent.finished_runs)} finished")
    silent, failed = agent.consecutive_silence_count, agent.consecutive_failure_count
    grid.add_row(
        "streaks",
        f"{silent} of {agent.silence_threshold} silent, {failed} of {agent.failure_threshold} failed in a row",
    )
    for incident in agent.open_incidents:
        grid.add_row("incident", Text(f"{incident.kind} since {moment(incident.opened_at)}", style="red"))
    if rated := [outcome.score for outcome in story.outcomes if outcome.score is not None]:
        grid.add_row("score", f"{score(sum(rated) / len(rated))} on average of its last {len(rated)}")
    if story.outcomes:
        good = sum(outcome.status == "success" for outcome in story.outcomes)
        grid.add_row("success", f"{share(good, len(story.outcomes))} of its last {len(story.outcomes)}")
    return grid


def _runs_table(outcomes: Sequence[AgentOutcome], now: datetime) -> FittingTable:
    table = FittingTable(
        Column("run"),
        Column("status"),
        Column("ended", right=True),
        Column("took", right=True, leaves=2),
        Column("tokens", right=True, leaves=1),
        Column("cost", right=True),
        Column("score", right=True, leaves=3),
        Column("summary", gives="cut", leaves=4),
    )
    for outcome in outcomes:
        began, ended = outcome.started_at, outcome.ended_at
        table.add(
            outcome.run_id.hex[:8],
            Text(outcome.status + (", silent" if outcome.silent else ""), style=STATUS_STYLES[outcome.status]),
            ago(ended, now),
            took(None if began is None else (ended - began).total_seconds()),
            tokens(outcome.total_tokens),
            usd(outcome.cost_usd),
            score(outcome.score),
            plain(" ".join((outcome.action_summary or "").split())),
        )
    return table


def _failures_table(failures: Sequence[AgentFailure], now: datetime) -> FittingTable:
    table = FittingTable(
        Column("fingerprint"),
        Column("state"),
        Column("runs", right=True, leaves=1),
        Column("last seen", right=True),
        Column("summary", gives="cut"),
    )
    for failure in failures:
        table.add(
            failure.fingerprint[:_SHORT],
            Text(failure.state, style=_KIND_STYLES[failure.state]),
            count(failure.runs),
            ago(failure.last_seen_at, now),
            plain(" ".join(failure.summary.split())),
        )
    return table
