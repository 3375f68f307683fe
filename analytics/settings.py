"""Settings of everything that reads, from the environment with prefix RUNLEDGER_."""

from __future__ import annotations

from pydantic import Field, field_validator

from runledger.analytics.days import find_zone
from runledger.schemas.settings import ConnectionSettings


class ReadSettings(ConnectionSettings):
    """Where to read, a replica will do, and when a day begins."""

    postgres_read: str | None = Field(
        default=None, description="Postgres connection URI to read from; RUNLEDGER_POSTGRES if unset", repr=False
    )
    time_zone: str = Field(default="UTC", description="IANA name of the zone in which the public figures' day begins")

    @field_validator("time_zone")
    @classmethod
    def _find(cls, name: str) -> str:
        return find_zone(name).key

    @property
    def read_uri(self) -> str:
        """Connection URI of the database to read from."""
        return self.postgres if self.postgres_read is None else self.postgres_read
