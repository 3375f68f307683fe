"""Answer every error in one shape, whoever raises it: a route, the framework, or a defect of ours."""

from __future__ import annotations

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runledger.access.http.answers import error_answer
from runledger.access.http.errors import Code, HttpError, invalid

_LOG = structlog.get_logger()
_CODES: dict[int, Code] = {404: "not_found", 405: "method_not_allowed"}


def handle_errors(app: FastAPI) -> None:
    """Give the application handlers for whatever may be raised."""
    app.add_exception_handler(HttpError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_defect)


async def _answer_error(_request: Request, error: Exception) -> Response:
    """Answer with an error that a route raised."""
    if isinstance(error, HttpError):
        return error_answer(error)
    raise error


async def _answer_validation(_request: Request, error: Exception) -> Response:
    """Name the parameter of path, query or headers that breaks a rule."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    return error_answer(invalid(".".join(str(part) for part in first["loc"][1:]), first["msg"]))


async def _answer_http(_request: Request, error: Exception) -> Response:
    """Answer for what no route takes, in our own shape."""
    if not isinstance(error, HTTPException):
        raise error
    code = _CODES.get(error.status_code, "invalid")
    return error_answer(HttpError(error.status_code, code, error.detail, headers=error.headers))


async def _answer_defect(_request: Request, error: Exception) -> Response:
    """Answer for a defect of ours."""
    _LOG.error("request_failed", exc_info=error)
    return error_answer(HttpError(500, "internal", "a defect of ours; it was logged"))
