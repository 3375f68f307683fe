"""`runledger mcp`: the MCP server over stdio, and `runledger worker mcp`: the same over streamable HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import orjson
import psycopg
import typer

from runledger.access.errors import AccessError
from runledger.cli.connecting import connect
from runledger.cli.mcp_config import ClientName, client_config
from runledger.logs import configure
from runledger.stack import Addresses


def mcp_command(
    config: Annotated[
        ClientName | None, typer.Option(help="Print the configuration of this MCP client, ready to paste, and end.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="With --config: address of a running server, such as http://127.0.0.1:8788/mcp.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder of the local stack to use.")] = None,
) -> None:
    """Serve MCP over stdin and stdout: the tools by which agents record runs and ask about them.

    The key is taken from RUNLEDGER_API_KEY. Without one the server speaks for the project that RUNLEDGER_PROJECT
    names, or for the project default where Kafka and Postgres are on this machine.

    Example: runledger mcp --config claude > .mcp.json
    """
    if config is not None:
        arguments = () if data_dir is None else ("--data-dir", str(data_dir.expanduser().absolute()))
        document = client_config(config, os.environ, arguments, url)
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
        return
    require_fastmcp()
    configure("mcp")
    # A gentler end would wait for the thread that reads stdin. What was answered is with the broker by then.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    asyncio.run(_serve_stdio(connect(data_dir)))


def require_fastmcp() -> None:
    """End with a word on what to install where the extra is missing."""
    if find_spec("fastmcp") is None:
        typer.echo("MCP needs more parts: pip install 'runledger[mcp]'", err=True)
        raise typer.Exit(2)


async def _serve_stdio(addresses: Addresses) -> None:
    from runledger.access.keyring import KeyRing  # noqa: PLC0415  # the other commands need none of this
    from runledger.analytics.database import Database  # noqa: PLC0415
    from runledger.analytics.reader import LedgerReader  # noqa: PLC0415
    from runledger.analytics.settings import ReadSettings  # noqa: PLC0415
    from runledger.producers.doors import Emitter  # noqa: PLC0415
    from runledger.producers.mcp_server import (  # noqa: PLC0415
        McpSettings,
        build_server,
        by_key,
        serve_stdio,
        trusted,
    )

    settings = McpSettings(kafka=addresses.kafka, postgres=addresses.postgres)
    read_uri = ReadSettings(postgres=settings.postgres).read_uri
    async with KeyRing(settings.postgres) as keyring, Database(read_uri) as database:
        if settings.api_key is not None:
            identify = by_key(keyring, settings.api_key.get_secret_value())
        else:
            explicit = settings.project if "project" in settings.model_fields_set else None
            identify = trusted(trusted_project(addresses, explicit))
        async with Emitter(settings) as emitter:
            await serve_stdio(build_server(identify, emitter, LedgerReader(database), settings))


def trusted_project(addresses: Addresses, explicit: str | None) -> str:
    """Choose the project of a server without a key: whoever starts it can reach the broker and the tables anyway.

    Args:
        addresses: of the servers it will use.
        explicit: the project that was named, if one was.

    Raises:
        AccessError: none was named, and the servers are shared ones.
    """
    if explicit is not None:
        return explicit
    database = psycopg.conninfo.conninfo_to_dict(addresses.postgres).get("host") or "localhost"
    hosts = [*(server.rpartition(":")[0] for server in addresses.kafka.split(",")), *str(database).split(",")]
    if not all(_is_local(host.strip()) for host in hosts):
        raise AccessError("Kafka or Postgres is on another machine: set RUNLEDGER_API_KEY, or RUNLEDGER_PROJECT")
    return "default"


def _is_local(host: str) -> bool:
    if host == "localhost" or host.startswith("/"):  # a folder: Postgres on a Unix socket
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


async def serve_http() -> None:
    """Serve over streamable HTTP until SIGTERM; every request bears a key."""
    require_fastmcp()
    from runledger.access.keyring import KeyRing  # noqa: PLC0415  # the other commands need none of this
    from runledger.analytics.database import Database  # noqa: PLC0415
    from runledger.analytics.reader import LedgerReader  # noqa: PLC0415
    from runledger.analytics.settings import ReadSettings  # noqa: PLC0415
    from runledger.producers.doors import Emitter  # noqa: PLC0415
    from runledger.producers.mcp_server import McpSettings  # noqa: PLC0415
    from runledger.producers.mcp_server import serve_http as serve  # noqa: PLC0415

    settings = McpSettings()
    async with (
        KeyRing(settings.postgres) as keyring,
        Database(ReadSettings().read_uri) as database,
        Emitter(settings) as emitter,
    ):
        await serve(emitter, LedgerReader(database), keyring, settings)
