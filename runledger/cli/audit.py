"""`runledger audit`: which agents have stopped reporting, fail, or run without doing anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from runledger.analytics.auditor import Audit, Auditor
from runledger.analytics.verdicts import AuditedAgent
from runledger.cli.agents_view import audit_remarks, reason, state_text, who
from runledger.cli.asking import ask
from runledger.cli.options import AnyProject, DataDir, Json
from runledger.cli.screen import Screen
from runledger.cli.tables import Column, FittingTable
from runledger.cli.terminal import plain, print_json

EXIT_FOUND = 3
EXIT_NOT_JUDGED = 4


def audit_command(
    project: AnyProject = None,
    *,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing when all is well.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Find agents that stopped reporting, fail again and again, or run without doing anything.

    Exit code: 0 all is well, 3 something was found, 4 nothing was found but not everything could be judged.

    Examples:
        runledger audit
        runledger audit --project default --quiet    # for cron
        runledger audit --json
    """
    audit = ask(data_dir, lambda database: Auditor(database).audit(project))
    code = exit_code(audit)
    if code or not quiet:
        if as_json:
            print_json(_document(audit))
        else:
            print_audit(Screen(), audit)
    if code:
        raise typer.Exit(code)


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
    for remark in audit_remarks(audit):
        console.print(remark, style="yellow", highlight=False, soft_wrap=True)
    if known:
        console.print(_table(sorted(audit.agents, key=lambda agent: not agent.findings)))


def _table(agents: list[AuditedAgent]) -> FittingTable:
    table = FittingTable(
        Column("project", leaves=1),
        Column("agent", gives="fold"),
        Column("state"),
        Column("why", gives="fold"),
    )
    for agent in agents:
        state = state_text(agent.state)
        table.add(agent.project_key, plain(_named(agent)), state, plain(reason(agent)))
    return table


def _named(agent: AuditedAgent) -> str:
    titles = who(agent)
    return f"{agent.agent_id} ({titles})" if titles else agent.agent_id
