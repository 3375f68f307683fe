"""What a producer needs to know; read from the environment, prefix RUNLEDGER_."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.values import ProjectKey

_MIB = 1024 * 1024


class ProducerSettings(ConnectionSettings):
    """Addresses, and how long a producer waits for what."""

    project: ProjectKey = Field(default="default", description="project of calls that name none")
    url: str | None = Field(
        default=None,
        description="where clients send: kafka://host:port, host:port, https://host, http://host; else `kafka`",
    )
    api_key: SecretStr | None = Field(default=None, description="key for the HTTP gateway, rl.…")
    strict: bool = Field(
        default=False,
        description="calls and closing raise what cannot be delivered, instead of counting it",
    )
    spool: Path | None = Field(default=None, description="file for events that cannot be delivered now")
    spool_bytes: int = Field(default=64 * _MIB, ge=_MIB, le=16 * 1024 * _MIB, description="bound of the spool file")
    spool_after_seconds: float = Field(
        default=5, ge=1, le=900, description="how long an event is retried before it goes to the spool, if there is one"
    )
    delivery_timeout_seconds: float = Field(
        default=120, ge=1, le=900, description="how long an event is retried before it counts as failed"
    )
    queue_wait_seconds: float = Field(
        default=5, ge=0, le=300, description="how long a strict client's call waits for room in a full queue"
    )
    queue_events: int = Field(default=100_000, ge=1, le=1_000_000, description="events the local queue holds")
    queue_bytes: int = Field(
        default=64 * _MIB, ge=_MIB, le=2048 * _MIB, description="bytes of events the local queue holds"
    )
    mask_patterns: dict[str, str] = Field(
        default_factory=dict,
        description="own regular expressions by name, a JSON object; what one matches becomes [masked:name]",
    )
    flush_timeout_seconds: float = Field(
        default=10, ge=0, le=300, description="how long closing, and the end of the program, wait for acknowledgements"
    )
