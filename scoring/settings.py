"""What a scoring worker needs to know; read from the environment, prefix RUNLEDGER_."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from runledger.schemas.dead_letter_settings import DeadLetterSettings


class ScoringSettings(DeadLetterSettings):
    """Addresses, the scorers to load and the patience with them."""

    model_config = SettingsConfigDict(env_prefix="RUNLEDGER_", frozen=True)

    scorers: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("heuristic",), min_length=1, description="names of the scorers to load, divided by commas"
    )
    scoring_max_attempts: int = Field(
        default=5,
        ge=1,
        description="attempts at one job before it is dead-lettered",
        json_schema_extra={"x-unit": "attempts"},
    )
    scoring_first_delay_seconds: float = Field(default=1, ge=0, description="wait before the second attempt")
    scoring_max_delay_seconds: float = Field(default=60, ge=0, description="longest wait between two attempts")
    scoring_batch: int = Field(
        default=200, ge=1, le=10_000, description="jobs taken at once", json_schema_extra={"x-unit": "jobs"}
    )
    scoring_max_waiting: int = Field(
        default=1_000,
        ge=1,
        description="jobs that wait for another attempt before no new ones are taken",
        json_schema_extra={"x-unit": "jobs"},
    )

    @field_validator("scorers", mode="before")
    @classmethod
    def _divide(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value
