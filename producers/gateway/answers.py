"""What the gateway answers, as models: they shape the answers and document them."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from runledger.access.http.answers import ErrorAnswer, ErrorDetail, documented


class TellAnswer(BaseModel):
    """The broker has the event."""

    run_id: UUID | None = Field(description="The run; null where none is meant.")
    event_id: str = Field(description="The event.")


class EventResult(BaseModel):
    """What became of one CloudEvent."""

    index: int = Field(ge=0, description="Its place in the batch.")
    id: str | None = Field(description="Its id, where it has a readable one.")
    run_id: UUID | None = Field(description="Its run, where it is a valid event.")
    outcome: Literal["delivered", "unknown", "refused"] = Field(
        description="delivered: the broker has it. unknown: send it again with the same id. refused: see error."
    )
    status: int = Field(description="The status it would have got alone.")
    error: ErrorDetail | None = None


class EventsAnswer(BaseModel):
    """One result per event, in their order."""

    results: list[EventResult]


class UndeliveredAnswer(ErrorAnswer):
    """Some event's outcome is unknown, or every event was refused; of a batch, one result per event."""

    results: list[EventResult] | None = None


_DESCRIPTIONS = {
    400: "The body ended early, or its compression is broken.",
    401: "No valid API key.",
    403: "The key does not allow this, or the body names another project.",
    408: "The body does not arrive.",
    413: "The body, or the event made of it, is too large.",
    415: "The media type or content coding is not understood.",
    422: "A rule is broken; the answer names the field.",
    503: "The broker or the keys do not answer in time; says whether anything may have been recorded.",
}
TELLING = documented(_DESCRIPTIONS)
"""What any route that emits may answer."""
