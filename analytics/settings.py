"""Settings of everything that reads, from the environment with prefix RUNLEDGER_."""

from __future__ import annotations

from pydantic import Field

from runledger.schemas.settings import ConnectionSettings


class ReadSettings(ConnectionSettings):
    """Where to read; a replica will do."""

    postgres_read: str | None = Field(
        default=None, description="Postgres connection URI to read from; RUNLEDGER_POSTGRES if unset", repr=False
    )

    @property
    def read_uri(self) -> str:
        """Connection URI of the database to read from."""
        return self.postgres if self.postgres_read is None else self.postgres_read
