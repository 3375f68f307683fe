"""What a producer needs to know; read from the environment, prefix RUNLEDGER_."""

from __future__ import annotations

from pydantic import Field

from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.values import ProjectKey


class ProducerSettings(ConnectionSettings):
    """Addresses, and how long a producer waits for what."""

    project: ProjectKey = Field(default="default", description="project of calls that name none")
    delivery_timeout_seconds: float = Field(
        default=120, ge=1, le=900, description="how long an event is retried before it counts as failed"
    )
    queue_wait_seconds: float = Field(
        default=5, ge=0, le=300, description="how long a call waits for room in a full local queue"
    )
    queue_events: int = Field(default=100_000, ge=1, le=1_000_000, description="events the local queue holds")
    flush_timeout_seconds: float = Field(
        default=10, ge=0, le=300, description="how long closing, and the end of the program, wait for acknowledgements"
    )
