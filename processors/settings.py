"""Settings of the processors, from the environment with prefix RUNLEDGER_."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode

from runledger.schemas.dead_letter_settings import DeadLetterSettings

DEFAULT_STATE_BYTES = 256 * 1024 * 1024
Protection: TypeAlias = Literal["fencing", "read_committed", "dedupe"]


class ProcessorSettings(DeadLetterSettings):
    """Deadlines, thresholds and group timing of a processor."""

    run_deadline_seconds: float = Field(
        default=3600, gt=0, description="a run without an event for so long has timed out"
    )
    ended_retention_seconds: float = Field(default=24 * 3600, gt=0, description="how long an ended run stays in memory")
    record_retention_seconds: float = Field(default=600, gt=0, description="how long a one-event run stays in memory")
    silence_threshold: int = Field(
        default=3, ge=1, description="silent runs in a row that open an incident", json_schema_extra={"x-unit": "runs"}
    )
    failure_threshold: int = Field(
        default=3, ge=1, description="failed runs in a row that open an incident", json_schema_extra={"x-unit": "runs"}
    )
    dedupe_window_records: int = Field(
        default=100_000, ge=0, description="records of a partition within which a repeated event id is found"
    )
    pending_records: int = Field(default=8000, ge=1, description="fetched records of a partition that may wait")
    pending_bytes: int = Field(default=32 * 1024 * 1024, ge=1, description="the same, in bytes of their values")
    run_commit_interval_seconds: float = Field(
        default=0.05, ge=0, le=1, description="transactions of a partition of run-events begin so far apart"
    )
    agent_commit_interval_seconds: float = Field(
        default=0.2, ge=0, le=1, description="transactions of a partition of run-outcomes begin so far apart"
    )
    commit_at_once_records: int = Field(
        default=500, ge=1, description="records of a partition that are committed without keeping that distance"
    )
    state_bytes: int = Field(
        default=DEFAULT_STATE_BYTES,
        ge=1,
        description="encoded states of a partition beyond which ended runs leave memory early",
    )
    session_timeout_seconds: float = Field(default=6, gt=0, description="a silent processor is dead after this")
    heartbeat_seconds: float = Field(default=1, gt=0, description="pause between heartbeats to the group")
    rebalance_timeout_seconds: float = Field(default=8, gt=0, description="bound for members to rejoin the group")
    transaction_timeout_seconds: float = Field(default=10, gt=0, description="the broker ends a longer transaction")
    testing: bool = Field(default=False, description="allows the settings below, which break what Runledger promises")
    unsafe_disable: Annotated[frozenset[Protection], NoDecode] = Field(
        default=frozenset(), description="protections switched off, so that tests can show what each is for"
    )
    unsafe_abort_ratio: float = Field(
        default=0,
        ge=0,
        le=1,
        description="share of transactions aborted on purpose",
        json_schema_extra={"x-unit": "share"},
    )

    @field_validator("unsafe_disable", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Take a comma list, and leave other processes' protections to them."""
        if isinstance(value, str):
            return frozenset(word for word in value.split(",") if word in {"fencing", "read_committed", "dedupe"})
        return value

    @model_validator(mode="after")
    def _refuse_unsafe(self) -> ProcessorSettings:
        if (self.unsafe_disable or self.unsafe_abort_ratio) and not self.testing:
            raise ValueError("RUNLEDGER_UNSAFE_* breaks exactness; it needs RUNLEDGER_TESTING=1")
        return self
