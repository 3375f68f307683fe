"""An event as it travels: masked, encoded, with what key and headers need."""

from __future__ import annotations

from uuid import UUID

import msgspec

from runledger.producers.errors import InvalidEventError, Undelivered
from runledger.schemas.codec import CONTENT_TYPE, EVENT_ID_HEADER, decode_event, encode_event
from runledger.schemas.errors import EncodeError
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import AnyRunEvent

_CONTENT_TYPE = CONTENT_TYPE.encode()


class Record(msgspec.Struct, frozen=True, gc=False):
    """One encoded event; the collector need not follow it, of which thousands may wait.

    Args:
        event_id: its id, by which a repeat counts once.
        project_key: whose.
        run_id: of which run.
        value: CloudEvents structured JSON, on one line.
    """

    event_id: str
    project_key: str
    run_id: UUID
    value: bytes

    @classmethod
    def of(cls, event: AnyRunEvent) -> Record:
        """Encode an event.

        Raises:
            InvalidEventError: it is too large.
        """
        try:
            return cls(event.event_id, event.project_key, event.run_id, encode_event(event))
        except EncodeError as error:
            raise InvalidEventError("event", str(error)) from error

    @classmethod
    def read(cls, value: bytes) -> Record:
        """Take an event back from its bytes.

        Raises:
            DecodeError: the bytes are no event.
        """
        event = decode_event(value)
        return cls(event.event_id, event.project_key, event.run_id, value)

    def undelivered(self, reason: str) -> Undelivered:
        """Name it as an event without the receiver's acknowledgement."""
        return Undelivered(self.event_id, self.project_key, self.run_id, reason)

    @property
    def key(self) -> bytes:
        """Kafka key."""
        return run_key(self.project_key, self.run_id)

    @property
    def headers(self) -> dict[str, str | bytes | None]:
        """Kafka headers."""
        return {EVENT_ID_HEADER: self.event_id, "content-type": _CONTENT_TYPE}
