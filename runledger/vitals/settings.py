"""Settings of every worker's health, metrics and watchdog, from the environment with prefix RUNLEDGER_."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class VitalsSettings(BaseSettings):
    """Where a worker tells how it does, and when it is judged stuck."""

    model_config = SettingsConfigDict(env_prefix="RUNLEDGER_", frozen=True)

    metrics_host: str = Field(default="127.0.0.1", description="address of /healthz and /metrics")
    metrics_port: int | None = Field(
        default=None, ge=0, le=65535, description="their port; none if unset, 0 for any free one, which the log names"
    )
    stall_seconds: float = Field(
        default=120, ge=0, description="a worker with work and without progress for so long ends; 0 for never"
    )
    drain_seconds: float = Field(default=9.5, gt=0, description="told to end, a worker ends within this")
