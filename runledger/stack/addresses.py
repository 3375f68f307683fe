"""Where a stack answers."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where to find the broker, the database and the doors.

    Args:
        kafka: bootstrap servers, host:port,…
        postgres: connection URI, with its password.
        http: URL of the HTTP gateway; None where none runs.
        mcp: URL of the MCP server; None where none runs.
        api: URL of the read API; None where none runs.
        dashboard: URL of the dashboard; None where none runs.
    """

    kafka: str
    postgres: str
    http: str | None = None
    mcp: str | None = None
    api: str | None = None
    dashboard: str | None = None

    def environment(self) -> dict[str, str]:
        """The variables by which every Runledger program finds them."""
        servers = {"RUNLEDGER_KAFKA": self.kafka, "RUNLEDGER_POSTGRES": self.postgres}
        doors = {
            "RUNLEDGER_HTTP": self.http,
            "RUNLEDGER_MCP": self.mcp,
            "RUNLEDGER_API": self.api,
            "RUNLEDGER_DASHBOARD": self.dashboard,
        }
        return servers | {name: url for name, url in doors.items() if url is not None}

    def exports(self) -> str:
        """The same as shell lines."""
        return "\n".join(f"export {name}={quote(value)}" for name, value in self.environment().items())
