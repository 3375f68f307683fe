"""Show errors as pages that say what happened and what to do next."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from runledger.access.http.errors import HttpError, invalid
from runledger.analytics.dashboard.desk import Desk, LoginNeededError, address_of
from runledger.analytics.dashboard.guard import say_policy
from runledger.analytics.errors import CursorError, TimeZoneError, UnknownProjectError
from runledger.analytics.http.errors import UNREADABLE, as_http

LOGIN_PATH = "/login"
_RETRY_SECONDS = 3
_LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What an error's page says."""

    title: str
    message: str
    next_step: str
    reset: bool = False
    """Offer the same page without its filters."""
    retry_seconds: int | None = None
    """The page asks again by itself."""


def handle_page_errors(app: FastAPI) -> None:
    """Give the application handlers for whatever may be raised."""
    app.add_exception_handler(LoginNeededError, _ask_for_login)
    app.add_exception_handler(HttpError, _show)
    app.add_exception_handler(RequestValidationError, _show)
    app.add_exception_handler(HTTPException, _show)
    for kind in (CursorError, TimeZoneError, UnknownProjectError, *UNREADABLE):
        app.add_exception_handler(kind, _show)
    app.add_exception_handler(Exception, _show_defect)


def explain(error: HttpError) -> ErrorPage:
    """Choose the words for an error."""
    match error.status:
        case HTTPStatus.NOT_FOUND:
            return ErrorPage(
                "Nothing here",
                error.message[:1].upper() + error.message[1:] + ".",
                "It may have been erased or pruned, or the address is incomplete.",
            )
        case HTTPStatus.FORBIDDEN:
            return ErrorPage(
                "Not with this key",
                f"{error.message}.",
                "Log in with a key that has the scope: runledger project create prints one.",
            )
        case HTTPStatus.UNPROCESSABLE_ENTITY:
            return ErrorPage("This filter does not work", f"{error.message}.", "Go on without filters.", reset=True)
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return ErrorPage(
                "The ledger does not answer",
                "Its database cannot be read just now. What agents report meanwhile is kept and will be shown.",
                "This page keeps trying. If it stays so: runledger status, or runledger doctor, says what is wrong.",
                retry_seconds=_RETRY_SECONDS,
            )
        case _:
            return ErrorPage("That did not work", f"{error.message}.", "Go back and try again.")


async def _show(request: Request, error: Exception) -> Response:
    answer = _as_http(error)
    return _page(request, explain(answer), answer)


def _as_http(error: Exception) -> HttpError:
    match error:
        case HttpError():
            return error
        case RequestValidationError():
            first = error.errors()[0]
            return invalid(".".join(str(part) for part in first["loc"][1:]), first["msg"])
        case HTTPException():
            message = "there is no such page" if error.status_code == HTTPStatus.NOT_FOUND else error.detail
            return HttpError(error.status_code, "not_found", message, headers=error.headers)
        case _:
            return as_http(error)


async def _show_defect(request: Request, error: Exception) -> Response:
    number = secrets.token_hex(4)
    _LOG.error("request_failed", number=number, exc_info=error)
    words = ErrorPage(
        "A defect of ours",
        f"This page could not be made. The dashboard's log has it under the number {number}.",
        "Try again; if it stays so, please report it with that line of the log.",
    )
    shown = _page(request, words, HttpError(500, "internal", "a defect of ours"))
    say_policy(shown.headers)  # no middleware sees this answer: it is given outside of all
    return shown


def _page(request: Request, words: ErrorPage, answer: HttpError) -> HTMLResponse:
    desk: Desk = request.app.state.desk
    shown = desk.plain_page(
        request, "error.html", {"words": words, "here": address_of(request).partition("?")[0]}, answer.status
    )
    shown.headers.update(answer.headers)
    return shown


async def _ask_for_login(request: Request, _error: Exception) -> Response:
    """Send the browser to the login page; end a stream of notices, whose page then asks again and is sent there."""
    if request.headers.get("accept") == "text/event-stream":
        return Response(status_code=204)
    desk: Desk = request.app.state.desk
    came_from = address_of(request)
    if request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site":
        # Somebody followed a link from elsewhere: the cookie comes only where our own page asks, so have it ask.
        return desk.plain_page(request, "again.html", {"target": came_from})
    asked = urlencode({"next": came_from}) if request.method == "GET" and came_from != "/" else ""
    return RedirectResponse(LOGIN_PATH + (f"?{asked}" if asked else ""), 303)
