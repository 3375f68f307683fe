"""What the read API needs to know; read from the environment, prefix RUNLEDGER_."""

from __future__ import annotations

from pydantic import Field

from runledger.analytics.settings import ReadSettings


class ApiSettings(ReadSettings):
    """Where it listens, beside where it reads."""

    api_host: str = Field(default="127.0.0.1", description="address to listen on")
    api_port: int = Field(default=8789, ge=0, le=65535, description="port to listen on; 0 for any free one")
