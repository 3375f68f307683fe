"""What the gateway answers, as models: they shape the answers and document them."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from runledger.producers.gateway.errors import Code, HttpError


class ErrorDetail(BaseModel):
    """Why a call did not succeed."""

    code: Code = Field(description="For programs; stable.")
    message: str = Field(description="For people; says what to do.")
    field: str | None = Field(default=None, description="Dotted path of the offending field, where there is one.")


class ErrorAnswer(BaseModel):
    """Every answer that is not a success."""

    error: ErrorDetail


class TellAnswer(BaseModel):
    """The broker has the event."""

    run_id: UUID | None = Field(description="The run; null for a failure of none.")
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


class HealthAnswer(BaseModel):
    """How the gateway does."""

    status: Literal["ok"]


def detail_of(error: HttpError) -> ErrorDetail:
    """Give the error's body."""
    return ErrorDetail(code=error.code, message=error.message, field=error.field)


def error_answer(error: HttpError) -> Response:
    """Answer with an error."""
    content = ErrorAnswer(error=detail_of(error)).model_dump(mode="json")
    return JSONResponse(content, error.status, error.headers)


async def answer_error(_request: Request, error: Exception) -> Response:
    """Answer with an error that a route raised."""
    if isinstance(error, HttpError):
        return error_answer(error)
    raise error


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
_HEADERS = {
    401: {"WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}, "required": True}},
    503: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}, "required": True}},
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document error answers, as FastAPI's `responses` takes them."""
    return {
        status: {"model": ErrorAnswer, "description": _DESCRIPTIONS[status], "headers": _HEADERS.get(status, {})}
        for status in statuses
    }


TELLING = documented(*_DESCRIPTIONS)
"""What any route that emits may answer."""
