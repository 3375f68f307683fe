"""Where a stack answers."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where to find the broker and the database.

    Args:
        kafka: bootstrap servers, host:port,…
        postgres: connection URI, with its password.
    """

    kafka: str
    postgres: str

    def environment(self) -> dict[str, str]:
        """The variables by which every Runledger program finds them."""
        return {"RUNLEDGER_KAFKA": self.kafka, "RUNLEDGER_POSTGRES": self.postgres}

    def exports(self) -> str:
        """The same as shell lines."""
        return "\n".join(f"export {name}={quote(value)}" for name, value in self.environment().items())
