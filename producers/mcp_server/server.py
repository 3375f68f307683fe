"""The MCP server: its tools, and how it is served over stdio and over streamable HTTP."""

from __future__ import annotations

import logging
from importlib.metadata import version
from types import FrameType
from typing import Any

import structlog
import uvicorn
from fastmcp import FastMCP
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from runledger.access.http.paths import WholePaths
from runledger.access.http.server import config_of
from runledger.access.keyring import KeyRing
from runledger.producers.doors import Emitter
from runledger.producers.masking import masker_of
from runledger.producers.mcp_server.credentials import HEALTH_PATH, Identify, RequireKey, by_request
from runledger.producers.mcp_server.errors import NameArguments
from runledger.producers.mcp_server.reader import Reader
from runledger.producers.mcp_server.reading import ReadingTools
from runledger.producers.mcp_server.settings import McpSettings
from runledger.producers.mcp_server.writing import WritingTools
from runledger.vitals import beating, told_to_end

PATH = "/mcp"
_DRAIN_SECONDS = 7
_INSTRUCTIONS = (
    "Runledger keeps the ledger of agent runs. Open a run with core_start_run before you work, report token usage with "
    "core_report_usage, failures with core_record_failure, and close it with core_end_run. When something fails, ask "
    "recent_failures whether it was resolved before."
)
_LOG = structlog.get_logger()


def build_server(identify: Identify, emitter: Emitter, reader: Reader, settings: McpSettings) -> FastMCP[Any]:
    """Make the server with all its tools.

    Args:
        identify: says who calls, for each call anew.
        emitter: takes events to the broker.
        reader: reads the tables.
        settings: those of the emitter; they say what is masked.
    """
    server: FastMCP[Any] = FastMCP(
        "runledger",
        instructions=_INSTRUCTIONS,
        version=version("runledger"),
        mask_error_details=True,
        middleware=[NameArguments()],
    )
    WritingTools(identify, emitter).add_to(server)
    ReadingTools(identify, reader, masker_of(settings.mask_patterns)).add_to(server)
    return server


async def serve_stdio(server: FastMCP[Any]) -> None:
    """Serve one client over stdin and stdout, until it closes stdin."""
    _log_as_we_do()
    await server.run_stdio_async(show_banner=False)


def http_app(server: FastMCP[Any], keyring: KeyRing, settings: McpSettings) -> Starlette:
    """Make the ASGI application: Host and Origin are checked first, then the key, then the tools are called.

    No session is kept between requests: each stands for itself, with its own key.
    """
    server.custom_route(HEALTH_PATH, methods=["GET"])(_health)
    return server.http_app(
        path=PATH,
        middleware=[Middleware(WholePaths), Middleware(RequireKey, keyring=keyring)],
        stateless_http=True,
        json_response=True,
        host_origin_protection=True,
        allowed_hosts=list(settings.mcp_allowed_hosts),
        allowed_origins=list(settings.mcp_allowed_origins),
    )


async def serve_http(emitter: Emitter, reader: Reader, keyring: KeyRing, settings: McpSettings) -> None:
    """Serve over streamable HTTP until SIGTERM or SIGINT; calls under way are finished, within 7 seconds."""
    _log_as_we_do()
    app = http_app(build_server(by_request, emitter, reader, settings), keyring, settings)
    config = config_of(app, settings.mcp_host, settings.mcp_port, _DRAIN_SECONDS)
    _LOG.info("mcp_listening", host=settings.mcp_host, port=settings.mcp_port, path=PATH)
    async with beating():
        await _Server(config).serve()


class _Server(uvicorn.Server):
    """One that ends with exit code 0 when it is asked to, instead of dying of the signal."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # uvicorn's own signature
        told_to_end()
        self.force_exit = self.should_exit
        self.should_exit = True


async def _health(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


def _log_as_we_do() -> None:
    """Send fastmcp's log lines where all others go."""
    logger = logging.getLogger("fastmcp")
    logger.handlers.clear()
    logger.propagate = True
