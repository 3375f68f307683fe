"""Tables for the terminal: runs, agents, totals, differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from runledger.analytics.summary import AgentRow, RunRow
from runledger.cli.terminal import plain

_STATUS_STYLE = {"completed": "green", "failed": "red", "interrupted": "yellow", "running": "cyan"}


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _usd(value: Decimal | None) -> str:
    return "-" if value is None else f"${value.normalize():f}"


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _table(title: str) -> Table:
    """Make a table that fits a terminal of 80 columns."""
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=None,
        padding=(0, 1, 0, 0),
    )


def runs_table(runs: Sequence[RunRow]) -> Table:
    """Show one line a run; a dash is unknown, a star marks a run that timed out."""
    table = _table("Runs, in the order they ended")
    table.add_column("run", no_wrap=True, min_width=8)
    table.add_column("agent", no_wrap=True)
    table.add_column("status", no_wrap=True, min_width=9)
    for name in ("calls", "input", "output", "cost", "silent", "fails", "score"):
        table.add_column(name, justify="right", no_wrap=True)
    for run in runs:
        style = _STATUS_STYLE[run.status]
        status = f"[{style}]{run.status}[/{style}]" + (" *" if run.timed_out else "")
        table.add_row(
            str(run.run_id)[:8],
            Text(plain(run.agent_id or "-")),
            status,
            _number(run.llm_calls),
            _number(run.input_tokens),
            _number(run.output_tokens),
            _usd(run.cost_usd),
            _number(run.consecutive_silence_count),
            _number(run.consecutive_failure_count),
            _score(run.score),
        )
    return table


def agents_table(agents: Sequence[AgentRow]) -> Table:
    """Show one line an agent, over all its runs in the ledger."""
    table = _table("Agents")
    table.add_column("agent", no_wrap=True)
    for name in ("runs", "tokens", "cost", "silent", "longest", "failing", "longest", "score"):
        table.add_column(name, justify="right")
    for agent in agents:
        table.add_row(
            Text(plain(agent.agent_id)),
            _number(agent.finished_runs),
            _number(agent.total_tokens),
            _usd(agent.cost_usd),
            _number(agent.consecutive_silence_count),
            _number(agent.longest_silence),
            _number(agent.consecutive_failure_count),
            _number(agent.longest_failing_streak),
            _score(agent.mean_score),
        )
    return table


def print_totals(console: Console, totals: Mapping[str, object]) -> None:
    """Print the totals in one paragraph, as read from Postgres."""

    def say(name: str) -> str:
        value = totals[name]
        return "unknown" if value is None else f"{value:,}" if isinstance(value, int) else str(value)

    console.print(
        f"[bold]{say('runs')} runs[/bold]: {say('completed')} completed, {say('failed')} failed, "
        f"{say('interrupted')} interrupted, {say('running')} running; {say('scored')} scored"
    )
    console.print(
        f"{say('llm_calls')} LLM calls, {say('input_tokens')} input and {say('output_tokens')} output tokens, "
        f"[bold]${say('cost_usd')}[/bold]; longest failing streak {say('longest_failing_streak')}"
    )
