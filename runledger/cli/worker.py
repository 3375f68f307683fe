"""The pipeline's processes, each started by its own command, and the one-shot preparation of broker and database."""

from __future__ import annotations

import asyncio

import typer

from runledger.logs import configure

app = typer.Typer(help="Run one process of the pipeline until SIGTERM.", no_args_is_help=True)


@app.command("processor")
def processor() -> None:
    """Fold run events into totals per run and streaks per agent (stages 1 and 2)."""
    from runledger.processors.app import run_processor  # noqa: PLC0415  # Faust takes a second to import

    configure("processor")
    run_processor()


@app.command("sink")
def sink() -> None:
    """Write runs, agents, logs, incidents and scores to Postgres."""
    from runledger.sinks.consumer import run_sink  # noqa: PLC0415  # only this process needs it
    from runledger.sinks.settings import SinkSettings  # noqa: PLC0415

    configure("sink")
    run_sink(SinkSettings())


@app.command("relay")
def relay() -> None:
    """Send scoring jobs from the outbox table to the topic."""
    from runledger.sinks.outbox_relay import run_relay  # noqa: PLC0415  # only this process needs it
    from runledger.sinks.settings import SinkSettings  # noqa: PLC0415

    configure("relay")
    run_relay(SinkSettings())


@app.command("scorer")
def scorer() -> None:
    """Score finished runs."""
    from runledger.scoring.settings import ScoringSettings  # noqa: PLC0415  # only this process needs it
    from runledger.scoring.worker import run_scorer  # noqa: PLC0415

    configure("scorer")
    run_scorer(ScoringSettings())


@app.command("mcp")
def mcp() -> None:
    """Serve MCP over streamable HTTP, on RUNLEDGER_MCP_HOST and RUNLEDGER_MCP_PORT."""
    from runledger.cli.mcp import serve_http  # noqa: PLC0415  # only this process needs it

    configure("mcp")
    asyncio.run(serve_http())


@app.command("gateway")
def gateway() -> None:
    """Take events over HTTP, on RUNLEDGER_HTTP_HOST and RUNLEDGER_HTTP_PORT."""
    from runledger.producers.gateway.server import run_gateway  # noqa: PLC0415  # only this process needs it
    from runledger.producers.gateway.settings import GatewaySettings  # noqa: PLC0415

    configure("gateway")
    run_gateway(GatewaySettings())


def migrate_command() -> None:
    """Create what is missing: topics on the broker, tables in the database. Safe to run twice, and by two at once."""
    from runledger.schemas.settings import ConnectionSettings  # noqa: PLC0415  # reads the environment
    from runledger.sinks.migrate import migrate  # noqa: PLC0415  # Alembic takes a moment to import
    from runledger.topic_admin import ensure_topics  # noqa: PLC0415

    settings = ConnectionSettings()
    ensure_topics(settings)
    migrate(settings.postgres)
    typer.echo(f"topics {settings.topic_prefix}* and tables are in place")
