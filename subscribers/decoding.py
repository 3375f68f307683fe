"""From a Kafka message to a typed record, topic by topic."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_args

from confluent_kafka import Message

from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import decode, decode_event, decode_run_log
from runledger.schemas.dead_letters import REASON, headers_of
from runledger.schemas.errors import DecodeError
from runledger.schemas.outcomes import Incident, RunOutcome
from runledger.schemas.scoring import RunScored, ScoringJob
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from runledger.schemas.topics import (
    AGENTS,
    INCIDENTS,
    RUN_EVENTS,
    RUN_LOG,
    RUN_OUTCOMES,
    RUN_SCORES,
    RUNS,
    SCORING_JOBS,
    SETTINGS,
    Topic,
)
from runledger.subscribers.received import Received, Tombstone, TombstoneReason

if TYPE_CHECKING:  # it needs an extra
    from runledger.contracts.validating import ContractValidator

Decoder = Callable[[bytes | None], Any]

DECODERS: MappingProxyType[Topic, Decoder] = MappingProxyType(
    {
        RUN_EVENTS: decode_event,
        RUNS: partial(decode, RunSnapshot),
        RUN_OUTCOMES: partial(decode, RunOutcome),
        AGENTS: partial(decode, AgentHealth),
        RUN_LOG: decode_run_log,
        INCIDENTS: partial(decode, Incident),
        SCORING_JOBS: partial(decode, ScoringJob),
        RUN_SCORES: partial(decode, RunScored),
        SETTINGS: partial(decode, AgentSettings),
    }
)
"""Every topic a subscriber may read, and how."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def topic_named(name: str) -> Topic:
    """Find a topic by its name without the prefix.

    Raises:
        ValueError: there is none, or it is internal.
    """
    for topic in DECODERS:
        if topic.suffix == name:
            return topic
    raise ValueError(f"{name!r} is none of {', '.join(topic.suffix for topic in DECODERS)}")


def receive(topic: Topic, message: Message, validator: ContractValidator | None = None) -> Received[Any]:
    """Decode and validate one message.

    Args:
        topic: whose record it is to be.
        message: with a value, or a tombstone.
        validator: holds it against the topic's contract too.

    Raises:
        DecodeError: it is no record of this topic, or breaks the contract.
    """
    value, key = message.value(), message.key()
    where = message.topic(), message.partition(), message.offset()
    try:
        text = (key or b"").decode()
    except UnicodeDecodeError as error:
        raise DecodeError("wrong_key", "the key is not UTF-8", "key") from error
    if validator is not None:
        for complaint in validator.complaints(text, value, headers_of(message.headers)):
            raise DecodeError("invalid", f"breaks the contract: {complaint}", complaint.partition(":")[0])
    ends = value is None and (topic.cleanup == "compact" or _reason(message) == "erased")
    record = Tombstone(_reason(message)) if ends else _decoded(topic, key or b"", value)
    name, partition, offset = where
    logged_at = _EPOCH + timedelta(milliseconds=message.timestamp()[1])
    return Received(record, text, str(name), int(partition or 0), int(offset or 0), logged_at)


def _decoded(topic: Topic, key: bytes, value: bytes | None) -> Any:  # noqa: ANN401  # any record
    """Decode a value; an event under another run's key is none, as for the ledger: anybody may write events."""
    return decode_event(value, key) if topic is RUN_EVENTS else DECODERS[topic](value)


def _reason(message: Message) -> TombstoneReason:
    raw = dict(headers_of(message.headers)).get(REASON)
    said = None if raw is None else raw.decode(errors="replace")
    for reason in get_args(TombstoneReason):
        if said == reason:
            return reason  # type: ignore[no-any-return]  # one of the literal's own values
    return "removed"
