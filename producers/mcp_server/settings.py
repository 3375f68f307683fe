"""Settings of the MCP server, from the environment with prefix RUNLEDGER_."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from runledger.producers.settings import ProducerSettings


class McpSettings(ProducerSettings):
    """Where it listens and whom it lets in; `api_key` and `project` say for whom a stdio server speaks."""

    mcp_host: str = Field(default="127.0.0.1", description="address to listen on")
    mcp_port: int = Field(default=8788, ge=0, le=65535, description="port to listen on")
    mcp_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="names in Host, beside loopback ones, under which the server may be reached; comma list"
    )
    mcp_allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="web origins, beside loopback ones, whose pages may call; comma list"
    )

    delivery_timeout_seconds: float = Field(
        default=30, ge=1, le=900, description="how long an event is retried after its caller was told it is unknown"
    )
    flush_timeout_seconds: float = Field(
        default=1.5, ge=0, le=300, description="how long the end waits for what its callers were told is unknown"
    )

    @field_validator("mcp_allowed_hosts", "mcp_allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(word.strip() for word in value.split(",") if word.strip())
        return value
