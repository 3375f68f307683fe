"""What a call tells, checked and written: an event without a model, until it is masked."""

from __future__ import annotations

from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from runledger.producers.errors import InvalidEventError
from runledger.producers.masking import Masker, mask_event
from runledger.producers.masking.events import mask_fields
from runledger.producers.records import Record
from runledger.schemas.codec import within_size
from runledger.schemas.errors import EncodeError
from runledger.schemas.lean_events import TokenUsage
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.values import MAX_EVENT_BYTES


class Usage(TokenUsage, frozen=True, omit_defaults=True):
    """Token usage as it is written: the cost as text, fields that are None left out."""


class Telling(msgspec.Struct, frozen=True, gc=False):
    """An event that was checked, and is not masked yet; made by `quick_building` alone.

    Args:
        event_id: its id.
        project_key: whose.
        run_id: of which run.
        fields: as they are written, `data` among them; those that are None left out; not to be changed.
        masked: names of the fields of `data` that may hold something to mask.
        value: the fields as JSON.
    """

    event_id: str
    project_key: str
    run_id: UUID
    fields: dict[str, Any]
    masked: tuple[str, ...]
    value: bytes

    @property
    def agent_id(self) -> str | None:
        """Who, if it is said."""
        agent_id: str | None = self.fields.get("agentid")
        return agent_id

    def record(self, masker: Masker) -> Record:
        """Mask it, as the event model would be, and write it anew where that changes something.

        Raises:
            InvalidEventError: it is too large.
        """
        data, value = self.fields["data"], self.value
        if changed := mask_fields(data, self.masked, masker):
            value = self._written(data | changed)
            if len(value) > MAX_EVENT_BYTES:
                value = self._written(data | mask_fields(data, self.masked, masker, cramped=True))
        try:
            return Record(self.event_id, self.project_key, self.run_id, within_size(value))
        except EncodeError as error:
            raise InvalidEventError("event", str(error)) from error

    def _written(self, data: dict[str, Any]) -> bytes:
        return write({**self.fields, "data": data})


_encode = msgspec.json.Encoder().encode


def write(fields: dict[str, Any]) -> bytes:
    """Write an event's fields as JSON.

    Raises:
        TypeError: something in them is not JSON.
        ValueError: a text holds half a surrogate pair.
    """
    return _encode(fields)


Tellable: TypeAlias = AnyRunEvent | Telling
"""What a publisher takes."""


def record_of(told: Tellable, masker: Masker) -> Record:
    """Mask and encode what is told.

    Raises:
        InvalidEventError: it is too large.
    """
    return told.record(masker) if isinstance(told, Telling) else Record.of(mask_event(told, masker))
