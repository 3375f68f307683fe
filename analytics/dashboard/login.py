"""Log in by a project's key, or by a link of the local stack; log out."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from runledger.access.errors import BadKeyError, ForbiddenError, UnavailableError
from runledger.access.http.errors import HttpError
from runledger.access.keys import SCOPES, ApiKey, Principal
from runledger.analytics.dashboard import links
from runledger.analytics.dashboard.desk import Desk, TheDesk
from runledger.analytics.dashboard.errors import LOGIN_PATH
from runledger.analytics.dashboard.sessions import Session

router = APIRouter()
_MOST_FORM_BYTES = 128 * 1024
"""A note of 10,000 characters may take twelve bytes each."""
_LOG = structlog.get_logger()


@router.get(LOGIN_PATH)
async def show_login(request: Request, desk: TheDesk, next_: Annotated[str, Query(alias="next")] = "/") -> Response:
    """Ask for a key; whoever is logged in goes on."""
    if desk.sessions.find(request.cookies.get(desk.cookie)) is not None:
        return RedirectResponse(_own_path(next_), 303)
    return desk.plain_page(request, "login.html", {"next": _own_path(next_), "problem": None})


@router.post(LOGIN_PATH)
async def log_in(request: Request, desk: TheDesk) -> Response:
    """Take a key, and give the browser a session for it."""
    form = await read_form(request)
    target = _own_path(form.get("next", "/"))
    address = request.client.host if request.client else ""
    wait_seconds = desk.attempts.wait_seconds(address)
    if wait_seconds > 0:
        problem = f"Too many attempts failed. Wait {wait_seconds:.0f} s, then try again."
        refused = desk.plain_page(request, "login.html", {"next": target, "problem": problem}, 429)
        refused.headers["Retry-After"] = f"{wait_seconds:.0f}"
        return refused
    desk.attempts.note_failure(address)
    try:
        key = ApiKey.parse(form.get("key", "").strip())
        principal = await desk.keys.authenticate(key.text())
        principal.require("read")
    except (BadKeyError, ForbiddenError) as error:
        _LOG.warning("login_refused", reason=type(error).__name__)
        problem = (
            "This key lacks the scope read; use another key of the project."
            if isinstance(error, ForbiddenError)
            else "This is no living key. A key looks like rl.….… and is printed by runledger project create."
        )
        return desk.plain_page(request, "login.html", {"next": target, "problem": problem}, 403)
    except UnavailableError:
        desk.attempts.take_back(address)
        problem = "Keys cannot be looked up just now: the database does not answer. Try again in a moment."
        return desk.plain_page(request, "login.html", {"next": target, "problem": problem}, 503)
    desk.attempts.take_back(address)
    return _enter(request, desk, Session(principal, key), target)


@router.get(links.PATH)
async def log_in_by_link(
    request: Request, desk: TheDesk, token: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Log in by a link that works once."""
    project_key = None if desk.links is None else desk.links.use(token)
    if project_key is None:
        problem = "This link has been used, or is older than ten minutes: runledger up prints a new one."
        return desk.plain_page(request, "login.html", {"next": "/", "problem": problem}, 403)
    return _enter(request, desk, Session(Principal(project_key, frozenset(SCOPES)), None), "/")


@router.post("/logout")
async def log_out(request: Request, desk: TheDesk) -> Response:
    """End the browser's session."""
    desk.sessions.close(request.cookies.get(desk.cookie))
    answer = RedirectResponse(LOGIN_PATH, 303)
    answer.delete_cookie(desk.cookie, path="/", secure=desk.secure, httponly=True, samesite="strict")
    return answer


def _enter(request: Request, desk: Desk, session: Session, target: str) -> Response:
    desk.sessions.close(request.cookies.get(desk.cookie))
    _LOG.info("logged_in", project_key=session.principal.project_key, by="link" if session.key is None else "key")
    # A page that goes on by itself, for a redirect would bring no such cookie along where another site's page led here.
    answer = desk.plain_page(request, "again.html", {"target": target})
    answer.set_cookie(
        desk.cookie,
        desk.sessions.open(session),
        max_age=int(desk.session_seconds),
        path="/",
        secure=desk.secure,
        httponly=True,
        samesite="strict",
    )
    return answer


async def read_form(request: Request) -> dict[str, str]:
    """Read a form's fields; of a field that comes twice, the last.

    Raises:
        HttpError: 413, 415 or 422.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HttpError(415, "unsupported_media_type", "send a form")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_FORM_BYTES:
            raise HttpError(413, "too_large", "this form is too large")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=32)
    except ValueError as error:
        raise HttpError(422, "invalid", "this is not a form") from error
    return {name: values[-1] for name, values in fields.items()}


def _own_path(target: str) -> str:
    """Give a path of ours, or the first page: nobody is led elsewhere."""
    is_own = target.startswith("/") and not target.startswith("//")
    return target if is_own and "\\" not in target and target.isprintable() else "/"
