"""The tools of the MCP server, as it offers them to clients."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fastmcp.tools import Tool

from reference.markdown import code, page, prose, section, table
from reference.schema_words import rows
from runledger.producers.mcp_server.credentials import trusted
from runledger.producers.mcp_server.server import build_server
from runledger.producers.mcp_server.settings import McpSettings

_INTRO = """
Every tool that the server offers, in the words that clients show to their models. How to connect, and what the tools
promise: [MCP](../mcp.md).
"""


def mcp_tools_page() -> str:
    """Write the page."""
    return page("MCP tools", _INTRO, *(_tool(tool) for tool in tools()))


def tools() -> Sequence[Tool]:
    """List the tools."""
    server = build_server(trusted("default"), None, None, McpSettings())  # type: ignore[arg-type]  # nothing is called
    return asyncio.run(server.list_tools())


def _tool(tool: Tool) -> str:
    parameters = table(
        ("parameter", "value", "default", "meaning"), rows(tool.parameters, _definitions(tool.parameters))
    )
    answers = tool.output_schema or {}
    answer = table(("answer", "value", "", "meaning"), rows(answers, _definitions(answers)))
    reads = tool.annotations is not None and tool.annotations.read_only_hint
    scope = "read" if reads else "emit"
    return section(2, code(tool.name), prose(tool.description or ""), f"Needs the scope `{scope}`.", parameters, answer)


def _definitions(schema: dict[str, object]) -> dict[str, object]:
    found = schema.get("$defs", {})
    return found if isinstance(found, dict) else {}
