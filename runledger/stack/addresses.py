"""Where a stack answers."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where to find the broker, the database and the gateway.

    Args:
        kafka: bootstrap servers, host:port,…
        postgres: connection URI, with its password.
        http: URL of the HTTP gateway; None where none runs.
    """

    kafka: str
    postgres: str
    http: str | None = None

    def environment(self) -> dict[str, str]:
        """The variables by which every Runledger program finds them."""
        servers = {"RUNLEDGER_KAFKA": self.kafka, "RUNLEDGER_POSTGRES": self.postgres}
        return servers if self.http is None else {**servers, "RUNLEDGER_HTTP": self.http}

    def exports(self) -> str:
        """The same as shell lines."""
        return "\n".join(f"export {name}={quote(value)}" for name, value in self.environment().items())
