"""Where the broker and the database are; read from the environment, prefix RUNLEDGER_."""

from __future__ import annotations

from pydantic import Field

from runledger.schemas.kafka_security import KafkaSettings
from runledger.schemas.topics import DEFAULT_PARTITIONS, DEFAULT_PREFIX


class ConnectionSettings(KafkaSettings):
    """Addresses that every process shares, and how to speak to them."""

    postgres: str = Field(
        default="postgresql://postgres@127.0.0.1:5432/runledger", description="Postgres connection URI", repr=False
    )
    topic_prefix: str = Field(default=DEFAULT_PREFIX, description="prefix of every topic and consumer group")
    partitions: int = Field(
        default=DEFAULT_PARTITIONS,
        ge=1,
        le=1000,
        description="partitions of each topic; never changed after creation",
        json_schema_extra={"x-unit": "partitions"},
    )
