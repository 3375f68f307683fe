"""The pipeline's processes, each started by its own command, and the one-shot preparation of broker and database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import psycopg
import structlog
import typer

from runledger.logs import configure
from runledger.schemas.settings import ConnectionSettings
from runledger.vitals import keeper_of, kept_by
from runledger.vitals.exits import EXIT_CRASHED, EXIT_STOPPED
from runledger.vitals.listener import ListenError

app = typer.Typer(
    help="Run one process of the pipeline until SIGTERM.\n\n"
    "Exit code: 0 it was told to end; 70 something unexpected, 75 stuck: start it again; 78 a person has to look; "
    "124 told to end, it was not done in time.",
    no_args_is_help=True,
)

_log = structlog.get_logger()


@contextmanager
def _vitals(process: str, settings: ConnectionSettings, database: str | None, *, broker: bool = True) -> Iterator[None]:
    """Tell how the process does, and watch over it, for the length of a block."""
    try:
        with kept_by(keeper_of(process, settings, database=database, broker=broker)):
            yield
    except ListenError as error:
        _log.critical("stopped", error=str(error))
        raise typer.Exit(EXIT_STOPPED) from error


def _work(work: Callable[[], None], *stops: type[Exception]) -> None:
    """Work until told to end; what ends it otherwise is one line in the log and an exit code.

    Args:
        work: returns when the process was asked to end.
        stops: errors that starting again does not mend; so is any of Postgres, as the others are waited out.
    """
    try:
        work()
    except Exception as error:  # the log says all, and the supervisor starts the process again
        from runledger.cli.explaining import explain  # noqa: PLC0415  # imports every package

        if isinstance(error, (psycopg.Error, *stops)):
            _log.critical("stopped", error=explain(error))
            raise typer.Exit(EXIT_STOPPED) from error
        _log.critical("crashed", error=str(error), exc_info=True)
        raise typer.Exit(EXIT_CRASHED) from error


@app.command("processor")
def processor() -> None:
    """Fold run events into totals per run and streaks per agent (stages 1 and 2).

    Examples:
        runledger worker processor
    """
    from runledger.processors.app import run_processor  # noqa: PLC0415  # Faust takes a second to import
    from runledger.processors.settings import ProcessorSettings  # noqa: PLC0415  # as above

    configure("processor")
    settings = ProcessorSettings()
    with _vitals("processor", settings, None):
        run_processor(settings)


@app.command("sink")
def sink() -> None:
    """Write runs, agents, logs, incidents and scores to Postgres.

    Examples:
        runledger worker sink
    """
    from runledger.sinks.consumer import run_sink  # noqa: PLC0415  # only this process needs it
    from runledger.sinks.errors import StopLoudlyError  # noqa: PLC0415  # as above
    from runledger.sinks.settings import SinkSettings  # noqa: PLC0415  # as above

    configure("sink")
    settings = SinkSettings()
    with _vitals("sink", settings, settings.postgres):
        _work(lambda: run_sink(settings), StopLoudlyError)


@app.command("relay")
def relay() -> None:
    """Send scoring jobs from the outbox table to the topic.

    Examples:
        runledger worker relay
    """
    from runledger.sinks.outbox_relay import run_relay  # noqa: PLC0415  # only this process needs it
    from runledger.sinks.settings import SinkSettings  # noqa: PLC0415  # as above

    configure("relay")
    settings = SinkSettings()
    with _vitals("relay", settings, settings.postgres):
        _work(lambda: run_relay(settings))


@app.command("scorer")
def scorer() -> None:
    """Score finished runs.

    Examples:
        runledger worker scorer
    """
    from runledger.scoring import errors  # noqa: PLC0415  # only this process needs it
    from runledger.scoring.settings import ScoringSettings  # noqa: PLC0415  # as above
    from runledger.scoring.worker import run_scorer  # noqa: PLC0415  # as above

    configure("scorer")
    settings = ScoringSettings()
    stops = errors.DeadLetterLimitError, errors.PositionError, errors.UnknownScorerError
    with _vitals("scorer", settings, None):
        _work(lambda: run_scorer(settings), *stops)


@app.command("mcp")
def mcp() -> None:
    """Serve MCP over streamable HTTP, on RUNLEDGER_MCP_HOST and RUNLEDGER_MCP_PORT.

    Examples:
        runledger worker mcp
    """
    from runledger.cli.mcp import serve_http  # noqa: PLC0415  # only this process needs it

    configure("mcp")
    settings = ConnectionSettings()
    with _vitals("mcp", settings, settings.postgres):
        asyncio.run(serve_http())


@app.command("gateway")
def gateway() -> None:
    """Take events over HTTP, on RUNLEDGER_HTTP_HOST and RUNLEDGER_HTTP_PORT.

    Examples:
        runledger worker gateway
    """
    from runledger.producers.gateway.server import run_gateway  # noqa: PLC0415  # only this process needs it
    from runledger.producers.gateway.settings import GatewaySettings  # noqa: PLC0415

    configure("gateway")
    settings = GatewaySettings()
    with _vitals("gateway", settings, settings.postgres):
        run_gateway(settings)


@app.command("api")
def api() -> None:
    """Answer questions over HTTP, on RUNLEDGER_API_HOST and RUNLEDGER_API_PORT.

    Examples:
        runledger worker api
    """
    from runledger.analytics.http.server import run_api  # noqa: PLC0415  # only this process needs it
    from runledger.analytics.http.settings import ApiSettings  # noqa: PLC0415

    configure("api")
    settings = ApiSettings()
    with _vitals("api", settings, settings.read_uri, broker=False):
        run_api(settings)


@app.command("dashboard")
def dashboard() -> None:
    """Show the ledger to browsers, on RUNLEDGER_DASHBOARD_HOST and RUNLEDGER_DASHBOARD_PORT.

    Examples:
        runledger worker dashboard
    """
    from runledger.analytics.dashboard.server import run_dashboard  # noqa: PLC0415  # only this process needs it
    from runledger.analytics.dashboard.settings import DashboardSettings  # noqa: PLC0415
    from runledger.backstage.settings import BackstageSettings  # noqa: PLC0415
    from runledger.backstage.stage import Stage  # noqa: PLC0415

    configure("dashboard")
    settings = DashboardSettings()
    with _vitals("dashboard", settings, settings.read_uri, broker=False):
        run_dashboard(settings, Stage(BackstageSettings()))


@app.command("watch")
def watch() -> None:
    """Say how far the pipeline has come, and tell projects' webhooks of incidents.

    Examples:
        runledger worker watch
    """
    from runledger.watch.app import run_watch  # noqa: PLC0415  # only this process needs it
    from runledger.watch.settings import WatchSettings  # noqa: PLC0415  # as above

    configure("watch")
    settings = WatchSettings()
    with _vitals("watch", settings, settings.postgres):
        _work(lambda: run_watch(settings))


def migrate_command(
    *,
    topic_settings: Annotated[
        bool,
        typer.Option(
            "--topic-settings", help="Set what Runledger needs of topics that exist, where they have it otherwise."
        ),
    ] = False,
) -> None:
    """Create what is missing: topics on the broker, tables in the database. Safe to run twice, and by two at once.

    Examples:
        runledger migrate
        runledger migrate --topic-settings    # also mend topics that exist
    """
    from runledger.schemas.settings import ConnectionSettings  # noqa: PLC0415  # reads the environment
    from runledger.sinks.migrate import migrate  # noqa: PLC0415  # Alembic takes a moment to import
    from runledger.topic_admin import ensure_topics, mend_topics  # noqa: PLC0415  # as above

    settings = ConnectionSettings()
    ensure_topics(settings)
    for name, one in mend_topics(settings) if topic_settings else ():
        typer.echo(f"{name}: {one.name} was {one.found}, is {one.needed}")
    migrate(settings.postgres)
    typer.echo(f"topics {settings.topic_prefix}* and tables are in place")
