"""What the dashboard needs to know; read from the environment, prefix RUNLEDGER_."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from runledger.analytics.settings import ReadSettings


class DashboardSettings(ReadSettings):
    """Where it listens and who may come in, beside where it reads."""

    dashboard_host: str = Field(default="127.0.0.1", description="address to listen on")
    dashboard_port: int = Field(default=8790, ge=0, le=65535, description="port to listen on; 0 for any free one")
    dashboard_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="names, comma-separated, under which it may be asked, beside those of the loopback address",
    )
    dashboard_secure: bool = Field(
        default=False, description="browsers reach it over TLS: give its cookie to no other connection"
    )
    dashboard_session_hours: float = Field(default=12, gt=0, le=24 * 30, description="after that, log in again")
    dashboard_link_secret: str | None = Field(
        default=None,
        min_length=32,
        repr=False,
        description="whoever knows it may make links that log in once, to `default`, with every scope; none if unset",
    )

    @field_validator("dashboard_allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip().lower() for name in value.split(",") if name.strip())
        return value
