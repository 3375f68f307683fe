"""Settings of whoever refuses records: how many dead letters are too many."""

from __future__ import annotations

from pydantic import Field

from runledger.schemas.dead_letter_limits import DEFAULT_LIMIT, DEFAULT_RATIO, WINDOW_RECORDS, Limits
from runledger.schemas.settings import ConnectionSettings


class DeadLetterSettings(ConnectionSettings):
    """Settings of whoever refuses records."""

    dead_letter_limit: int = Field(
        default=DEFAULT_LIMIT,
        ge=0,
        description="more dead letters in a row of one partition stop its reader; 0 for no limit of any kind",
        json_schema_extra={"x-unit": "records"},
    )
    dead_letter_ratio: float = Field(
        default=DEFAULT_RATIO,
        gt=0,
        le=1,
        description=f"a larger share of at least {WINDOW_RECORDS} records of one partition does too",
        json_schema_extra={"x-unit": "share"},
    )

    @property
    def dead_letter_limits(self) -> Limits:
        """Both limits."""
        return Limits(self.dead_letter_limit, self.dead_letter_ratio)
