"""Settings of the sink and the relay, from the environment with prefix RUNLEDGER_."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode

from runledger.schemas.dead_letter_settings import DeadLetterSettings
from runledger.schemas.scoring import DEFAULT_RUBRIC

Protection: TypeAlias = Literal["compare_and_set", "read_committed", "outbox"]


class SinkSettings(DeadLetterSettings):
    """Batch sizes, group timing and patience of a sink and a relay."""

    batch_records: int = Field(default=5000, ge=1, description="most records in one transaction")
    batch_bytes: int = Field(default=32 * 1024 * 1024, ge=1, description="most bytes in one transaction, or one record")
    session_timeout_seconds: float = Field(default=10, gt=0, description="a silent sink is dead after this")
    poll_limit_seconds: float = Field(
        default=90,
        gt=0,
        description="a sink that has not asked the broker for records for so long is dead; no rebalance takes longer",
    )
    """More than a statement may take. After a broker was killed, a group once waited all of it for one long gone."""
    poll_seconds: float = Field(default=0.25, gt=0, description="longest wait for the first record of a batch")
    statement_timeout_seconds: float = Field(default=60, gt=0, description="Postgres ends a longer statement")
    lock_timeout_seconds: float = Field(default=15, gt=0, description="longest wait for another transaction's rows")
    retry_seconds: float = Field(default=0.25, gt=0, description="first pause while Postgres is away; doubles")
    retry_limit_seconds: float = Field(default=5, gt=0, description="longest pause while Postgres is away")
    rubric: str = Field(default=DEFAULT_RUBRIC, min_length=1, description="rubric every logged run is scored by")
    relay_batch_jobs: int = Field(default=500, ge=1, description="most jobs in one transaction of the relay")
    relay_poll_seconds: float = Field(default=2, gt=0, description="the relay looks after this, notified or not")
    delivery_timeout_seconds: float = Field(default=30, gt=0, description="wait for the broker's acknowledgement")
    testing: bool = Field(default=False, description="allows the setting below, which breaks what Runledger promises")
    unsafe_disable: Annotated[frozenset[Protection], NoDecode] = Field(
        default=frozenset(), description="protections switched off, so that tests can show what each is for"
    )

    @field_validator("unsafe_disable", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Take a comma list, and leave other processes' protections to them."""
        if isinstance(value, str):
            return frozenset(word for word in value.split(",") if word in get_args(Protection))
        return value

    @model_validator(mode="after")
    def _refuse_unsafe(self) -> SinkSettings:
        if self.unsafe_disable and not self.testing:
            raise ValueError("RUNLEDGER_UNSAFE_DISABLE breaks exactness; it needs RUNLEDGER_TESTING=1")
        return self

    @property
    def group(self) -> str:
        """The sink's consumer group."""
        return f"{self.topic_prefix}sink"
