"""Settings of the dashboard's looks behind the scenes, from the environment with prefix RUNLEDGER_."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from runledger.schemas.settings import ConnectionSettings

MOST_PORT = 65_535


class BackstageSettings(ConnectionSettings):
    """Where the workers tell how they do."""

    dashboard_workers: Annotated[tuple[tuple[str, str, int], ...], NoDecode] = Field(
        default=(), description="name=host:port of each worker's metrics, comma-separated; the page asks /healthz there"
    )

    @field_validator("dashboard_workers", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(_worker(one.strip()) for one in value.split(",") if one.strip())


def _worker(text: str) -> tuple[str, str, int]:
    name, is_named, address = text.partition("=")
    host, _, port = address.rpartition(":")
    if not is_named or not name or not host or not port.isascii() or not port.isdigit() or int(port) > MOST_PORT:
        raise ValueError("each worker is written name=host:port, such as sink=127.0.0.1:9464")
    return name, host.strip("[]"), int(port)
