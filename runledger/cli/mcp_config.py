"""Configuration for MCP clients, ready to paste."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

ClientName: TypeAlias = Literal["claude", "cursor", "vscode", "json"]

_PASSED_ON = ("RUNLEDGER_KAFKA", "RUNLEDGER_TOPIC_PREFIX", "RUNLEDGER_PROJECT")
_SECRET = ("RUNLEDGER_API_KEY", "RUNLEDGER_POSTGRES")
_REFERENCE: dict[ClientName, str] = {"claude": "${%s}", "cursor": "${env:%s}", "vscode": "${env:%s}", "json": "${%s}"}
"""How each client writes "the value of this environment variable"."""


def client_config(
    client: ClientName, environment: Mapping[str, str], arguments: tuple[str, ...] = (), url: str | None = None
) -> dict[str, Any]:
    """Make the JSON document that a client reads. Secrets are referred to, never written out.

    Args:
        client: claude (`.mcp.json`, `claude_desktop_config.json`), cursor (`.cursor/mcp.json`), vscode
            (`.vscode/mcp.json`), or json: the server's entry alone, for any other client.
        environment: the variables that are set now; those of ours are passed on.
        arguments: further ones for `runledger mcp`.
        url: of a server that runs already; None to have the client start one over stdio.
    """
    entry = _stdio(client, environment, arguments) if url is None else _http(client, url)
    match client:
        case "claude" | "cursor":
            return {"mcpServers": {"runledger": entry}}
        case "vscode":
            return {"servers": {"runledger": entry}}
        case "json":
            return entry


def _stdio(client: ClientName, environment: Mapping[str, str], arguments: tuple[str, ...]) -> dict[str, Any]:
    command = shutil.which("runledger")
    start = [command] if command is not None else [sys.executable, "-m", "runledger"]
    passed = {name: environment[name] for name in _PASSED_ON if environment.get(name)}
    secret = {name: _REFERENCE[client] % name for name in _SECRET if environment.get(name)}
    entry = {"type": "stdio", "command": start[0], "args": [*start[1:], "mcp", *arguments]}
    return entry | ({"env": passed | secret} if passed or secret else {})


def _http(client: ClientName, url: str) -> dict[str, Any]:
    key = _REFERENCE[client] % "RUNLEDGER_API_KEY"
    return {"type": "http", "url": url, "headers": {"Authorization": f"Bearer {key}"}}
