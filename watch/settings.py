"""Settings of the watch, from the environment with prefix RUNLEDGER_."""

from __future__ import annotations

from pydantic import Field

from runledger.schemas.settings import ConnectionSettings


class WatchSettings(ConnectionSettings):
    """How often the watch looks, how long it waits, and when it gives up."""

    probe_seconds: float = Field(default=2, gt=0, description="a probe begins so long after the one before")
    probe_limit_seconds: float = Field(default=600, gt=0, description="a probe that has not come through is given up")
    pause_seconds: float = Field(default=60, gt=0, description="a longer pause between watermarks begins a new span")
    kept_days: int = Field(
        default=400, ge=1, description="spans that ended earlier are removed; agents are expected within a year"
    )
    request_seconds: float = Field(default=5, gt=0, description="longest wait for one answer of broker or database")
    retry_limit_seconds: float = Field(default=15, gt=0, description="longest pause while broker or database is away")
    webhook_poll_seconds: float = Field(default=1, gt=0, description="incidents are looked for so often")
    webhook_timeout_seconds: float = Field(default=10, gt=0, description="a receiver answers within this, all in all")
    webhook_lease_seconds: float = Field(
        default=30, gt=0, description="an attempt that nobody accounts for within this is made again"
    )
    webhook_first_retry_seconds: float = Field(default=5, gt=0, description="pause after the first attempt; triples")
    webhook_in_flight: int = Field(
        default=100, ge=1, le=1000, description="most posts under way at once", json_schema_extra={"x-unit": "posts"}
    )
    webhook_in_flight_per_project: int = Field(
        default=2, ge=1, le=100, description="most of one project", json_schema_extra={"x-unit": "posts"}
    )
