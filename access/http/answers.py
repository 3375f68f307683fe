"""Answers that every service gives, as models: they shape the answers and document them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from runledger.access.http.errors import Code, HttpError

HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}, "required": True}},
    503: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}, "required": True}},
}
"""Status to the headers that its answers carry."""


class ErrorDetail(BaseModel):
    """Why a call did not succeed."""

    code: Code = Field(description="For programs; stable.")
    message: str = Field(description="For people; says what to do.")
    field: str | None = Field(default=None, description="Dotted path of the offending field, where there is one.")


class ErrorAnswer(BaseModel):
    """Every answer that is not a success."""

    error: ErrorDetail


class HealthAnswer(BaseModel):
    """How the process does."""

    status: Literal["ok"]


def detail_of(error: HttpError) -> ErrorDetail:
    """Give the error's body."""
    return ErrorDetail(code=error.code, message=error.message, field=error.field)


def error_answer(error: HttpError) -> Response:
    """Answer with an error."""
    content = ErrorAnswer(error=detail_of(error)).model_dump(mode="json")
    return JSONResponse(content, error.status, error.headers)


def documented(descriptions: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Document error answers, as FastAPI's `responses` takes them.

    Args:
        descriptions: status to when it is answered.
    """
    return {
        status: {"model": ErrorAnswer, "description": description, "headers": HEADERS.get(status, {})}
        for status, description in descriptions.items()
    }
