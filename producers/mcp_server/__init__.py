"""The MCP server: agents tell the ledger about their runs by tools, and ask it back. Needs the extra `mcp`."""

from runledger.producers.mcp_server.credentials import Identify, by_key, trusted
from runledger.producers.mcp_server.reader import Reader
from runledger.producers.mcp_server.server import build_server, http_app, serve_http, serve_stdio
from runledger.producers.mcp_server.settings import McpSettings

__all__ = [
    "Identify",
    "McpSettings",
    "Reader",
    "build_server",
    "by_key",
    "http_app",
    "serve_http",
    "serve_stdio",
    "trusted",
]
