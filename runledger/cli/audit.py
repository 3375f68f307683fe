"""`runledger audit`: which agents have stopped reporting, fail, or run without doing anything."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from runledger.analytics.auditor import Audit, Auditor
from runledger.analytics.database import Database
from runledger.analytics.pipeline import Pipeline
from runledger.analytics.verdicts import AgentState, AuditedAgent, Finding
from runledger.cli.connecting import find_tables
from runledger.cli.terminal import plain, print_json

EXIT_FOUND = 3
EXIT_NOT_JUDGED = 4
_STYLES: dict[AgentState, str] = {
    "failing": "red",
    "silent": "red",
    "quiet": "red",
    "never_reported": "red",
    "expected": "cyan",
    "healthy": "green",
    "retired": "dim",
}
_MINUTE, _HOUR, _DAY = 60, 60 * 60, 24 * 60 * 60


def audit_command(
    project: Annotated[str | None, typer.Option(help="Look at this project only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing when all is well.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder of the local stack to use.")] = None,
) -> None:
    """Find agents that stopped reporting, fail again and again, or run without doing anything.

    Exit code: 0 all is well, 3 something was found, 4 nothing was found but not everything could be judged.

    Example: runledger audit --project myproject --quiet
    """
    audit = asyncio.run(_ask(find_tables(data_dir), project))
    code = exit_code(audit)
    if code or not quiet:
        if as_json:
            print_json(_document(audit))
        else:
            print_audit(Console(), audit)
    if code:
        raise typer.Exit(code)


async def _ask(uri: str, project: str | None) -> Audit:
    async with Database(uri) as database:
        return await Auditor(database).audit(project)


def exit_code(audit: Audit) -> int:
    """Say in one number what was found."""
    if audit.found:
        return EXIT_FOUND
    return 0 if audit.judged and not audit.more_agents else EXIT_NOT_JUDGED


def _document(audit: Audit) -> dict[str, object]:
    """Say it as the read API's route /audit does; each agent names its project too."""
    return {
        "judged": audit.judged,
        "pipeline": asdict(audit.pipeline),
        "agents": len(audit.agents),
        "more_agents": audit.more_agents,
        "states": Counter(agent.state for agent in audit.agents),
        "found": [asdict(agent) for agent in audit.found],
    }


def print_audit(console: Console, audit: Audit) -> None:
    """Show the agents, those with which something is wrong first, each with the reason in words."""
    found, known = len(audit.found), len(audit.agents)
    if not known:
        console.print("No agent is known.")
    else:
        all_well = "nothing is wrong" if audit.judged else "nothing is wrong as far as is known"
        agents = "1 agent" if known == 1 else f"{known:,} agents"
        head = f"{found:,} of {agents} need a look" if found else f"{agents}: {all_well}"
        console.print(head, style="red" if found else "green", highlight=False)
    for remark in remarks(audit):
        console.print(remark, style="yellow", highlight=False, soft_wrap=True)
    if known:
        console.print(_table(sorted(audit.agents, key=lambda agent: not agent.findings)))


def remarks(audit: Audit) -> list[str]:
    """Say what could not be judged, and why."""
    said = []
    if not audit.judged:
        said.append(f"{_pipeline_words(audit.pipeline)}, so nobody is judged quiet")
    if audit.more_agents:
        said.append(f"only {len(audit.agents):,} agents were looked at; name a project to look at fewer")
    return said


def _pipeline_words(pipeline: Pipeline) -> str:
    if pipeline.lag_seconds is None:
        return "nobody knows how far the pipeline has come (`runledger worker watch` has never told)"
    return f"the pipeline is {duration(pipeline.lag_seconds)} behind"


def _table(agents: list[AuditedAgent]) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("project", "agent", "state", "why"):
        table.add_column(column, overflow="fold")
    for agent in agents:
        state = Text(agent.state.replace("_", " "), style=_STYLES[agent.state])
        table.add_row(_plain(agent.project_key), _plain(_who(agent)), state, _plain(reason(agent)))
    return table


def _who(agent: AuditedAgent) -> str:
    titles = [title for title in (agent.name, agent.role) if title]
    return f"{agent.agent_id} ({' -- '.join(titles)})" if titles else agent.agent_id


def _plain(words: str) -> Text:
    """Show words as they are: no markup, and nothing that a terminal would obey."""
    return Text(plain(words))


def reason(agent: AuditedAgent) -> str:
    """Say in words what was found."""
    return ", ".join(_words(agent, finding) for finding in agent.findings)


def _words(agent: AuditedAgent, finding: Finding) -> str:
    unheard, every = duration(agent.unheard_seconds or 0), duration(agent.expected_interval_seconds)
    match finding:
        case "failing":
            return f"failed {agent.consecutive_failure_count} times in a row"
        case "silent":
            return f"silent {agent.consecutive_silence_count} runs in a row"
        case "quiet":
            return f"not heard for {unheard}, expected every {every}"
        case "never_reported":
            return f"never heard in {unheard}, expected every {every}"


def duration(seconds: float) -> str:
    """Say a time in its largest two units, such as 5 h or 1 d 2 h."""
    whole = int(seconds)
    for (unit, name), (lesser, lesser_name) in (
        ((_DAY, "d"), (_HOUR, "h")),
        ((_HOUR, "h"), (_MINUTE, "min")),
        ((_MINUTE, "min"), (1, "s")),
    ):
        if whole >= unit:
            rest = whole % unit // lesser
            return f"{whole // unit} {name}" + (f" {rest} {lesser_name}" if rest else "")
    return f"{whole} s"
