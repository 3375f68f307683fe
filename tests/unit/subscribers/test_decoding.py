"""From messages to records."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from confluent_kafka import Message

from runledger.schemas.codec import encode_event
from runledger.schemas.errors import DecodeError
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import RunHeartbeat
from runledger.schemas.topics import RUN_EVENTS
from runledger.subscribers.decoding import receive

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
BEAT = RunHeartbeat(event_id="e-1", project_key="acme", run_id=UUID(int=10), occurred_at=AT)
KEY = run_key("acme", BEAT.run_id)


def under(key: bytes | None) -> Message:
    """The event under a key."""
    logged = (2, int(1000 * AT.timestamp()))
    return Message(topic="run-events", partition=1, offset=7, key=key, value=encode_event(BEAT), timestamp=logged)


def test_an_event_comes_with_its_place() -> None:
    received = receive(RUN_EVENTS, under(KEY))
    assert (received.value, received.key, received.project_key) == (BEAT, KEY.decode(), "acme")
    assert (received.partition, received.offset, received.logged_at) == (1, 7, AT)


@pytest.mark.parametrize(
    "key",
    [KEY.replace(b"acme", b"other"), run_key("acme", UUID(int=11)), KEY.upper(), None],
    ids=["another project", "another run", "in capitals", "none"],
)
def test_an_event_that_the_ledger_refuses_for_its_key_is_none_for_subscribers_either(key: bytes | None) -> None:
    """Who asked for one project's records would be shown what another one's event says of it."""
    with pytest.raises(DecodeError, match="not the event's project and run"):
        receive(RUN_EVENTS, under(key))
