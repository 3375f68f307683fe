"""What every page works with: who looks, the tables, and answers that the open pages of a project share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, TypeAlias
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from runledger.access.errors import BadKeyError, ForbiddenError, UnavailableError
from runledger.access.http.credentials import forbidden
from runledger.access.http.errors import retry_later
from runledger.access.keyring import KeyRing
from runledger.access.keys import Principal
from runledger.analytics.agent_usage import UsageReader
from runledger.analytics.dashboard.assets import accepts_gzip
from runledger.analytics.dashboard.attempts import Attempts
from runledger.analytics.dashboard.drawn import Drawn, DrawnPages
from runledger.analytics.dashboard.links import Links
from runledger.analytics.dashboard.live import Live
from runledger.analytics.dashboard.rendering import Renderer
from runledger.analytics.dashboard.sessions import Sessions
from runledger.analytics.dashboard.settings import DashboardSettings
from runledger.analytics.database import Database
from runledger.analytics.intelligence import IntelligenceReader
from runledger.analytics.pipeline import ask_pipeline
from runledger.analytics.readings import RunCosts
from runledger.analytics.sharing import Shared

VERSION_HEADER = "X-Runledger-Version"
"""Tells an open page how new what it was given is."""
_COSTS_SECONDS, _COSTS_REST = 1.0, 5.0
Model: TypeAlias = Mapping[str, object]
"""What a template is given, by name."""


class LoginNeededError(Exception):
    """Nobody is logged in; the browser is sent to the login page, and back afterwards."""


class Desk:
    """Holds what pages work with. One per process.

    Args:
        settings: who may come in, and when a day begins.
        keys: the living API keys.
        database: the tables.
        intelligence: the public figures.
        live: tells open pages of changes.
    """

    def __init__(
        self,
        settings: DashboardSettings,
        keys: KeyRing,
        database: Database,
        intelligence: IntelligenceReader,
        live: Live,
    ) -> None:
        self.keys = keys
        self.database = database
        self.intelligence = intelligence
        self.live = live
        self.usage = UsageReader(database)
        self.time_zone = settings.time_zone
        self.secure = settings.dashboard_secure
        self.cookie = _cookie_name(settings)
        self.session_seconds = settings.dashboard_session_hours * 3600
        self.sessions = Sessions(self.session_seconds)
        self.attempts = Attempts()
        self.links = None if settings.dashboard_link_secret is None else Links(settings.dashboard_link_secret)
        self.renderer = Renderer()
        self.costs: Shared[tuple[str, datetime], RunCosts | None] = Shared(_COSTS_SECONDS, rest=_COSTS_REST)
        self._pages = DrawnPages()

    async def page(
        self, request: Request, viewer: Principal, template: str, read: Callable[[], Awaitable[Model]]
    ) -> HTMLResponse:
        """Answer with a page of the viewer's project.

        The same address is read and drawn once for everybody of the project who asks within a second, unless something
        changed; one that takes long is drawn more seldom. So never put into it what only one of them may see, their
        scopes apart.

        Args:
            request: its address, filters included, is what the page is about.
            viewer: who looks.
            template: name of its file.
            read: reads what the template shows.
        """

        async def draw() -> bytes:
            model = await read()
            pipeline = await ask_pipeline(self.database)
            return self.renderer.draw(template, request.scope["path"], datetime.now(UTC), viewer, pipeline, model)

        drawn = await self._pages.get((viewer.project_key, viewer.scopes, address_of(request)), self.live.version, draw)
        return _answer(request, drawn, {VERSION_HEADER: str(drawn.version)})

    async def public_page(self, request: Request, template: str, read: Callable[[], Awaitable[Model]]) -> HTMLResponse:
        """Answer with a page that anybody may see and that knows no filters; shared likewise, among all."""

        async def draw() -> bytes:
            model = await read()
            return self.renderer.draw(template, request.scope["path"], datetime.now(UTC), None, None, model)

        return _answer(request, await self._pages.get((None, request.scope["path"]), 0, draw), {})

    def plain_page(self, request: Request, template: str, model: Model, status: int = 200) -> HTMLResponse:
        """Answer with a page that asks no database: login, errors."""
        session = self.sessions.find(request.cookies.get(self.cookie))
        viewer = None if session is None else session.principal
        body = self.renderer.draw(template, request.scope["path"], datetime.now(UTC), viewer, None, model)
        return HTMLResponse(body, status)


def _answer(request: Request, drawn: Drawn, headers: dict[str, str]) -> HTMLResponse:
    """Send a page as small as the browser takes it: nothing in it is secret, so its length may tell what it likes."""
    headers["Vary"] = "Accept-Encoding"
    if accepts_gzip(request):
        return HTMLResponse(drawn.compressed, headers={**headers, "Content-Encoding": "gzip"})
    return HTMLResponse(drawn.body, headers=headers)


def address_of(request: Request) -> str:
    """Write the address that is asked for.

    `request.url` is another one where an id holds a tab or what reads as an escape: two ids would be one.
    """
    query = request.scope["query_string"].decode("ascii", "replace")
    return quote(request.scope["path"], safe="/~") + (f"?{query}" if query else "")


def _cookie_name(settings: DashboardSettings) -> str:
    # Browsers keep cookies by host, not by port: two stacks on one machine would log each other out.
    name = f"runledger-{settings.dashboard_port}"
    return f"__Host-{name}" if settings.dashboard_secure else name


async def desk_of(request: Request) -> Desk:
    """Give the process's desk. Not blocking, so not a function for FastAPI to run in a thread."""
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(desk_of)]


async def viewer_of(request: Request, desk: TheDesk) -> Principal:
    """Say who looks.

    Raises:
        LoginNeededError: nobody is logged in, or the key was revoked.
        HttpError: 503, the keys cannot be looked up.
    """
    number = request.cookies.get(desk.cookie)
    session = desk.sessions.find(number)
    if session is None:
        raise LoginNeededError
    if session.key is None:
        return session.principal
    try:
        return await desk.keys.authenticate(session.key.text())
    except BadKeyError as error:
        desk.sessions.close(number)
        raise LoginNeededError from error
    except UnavailableError as error:
        raise retry_later("keys_unavailable", "the database does not answer just now") from error


Viewer = Annotated[Principal, Depends(viewer_of)]
"""Who looks at a page: `viewer.project_key` is the only project that it may show."""


async def admin_of(viewer: Viewer) -> Principal:
    """Say who changes something; the key needs the scope `admin`.

    Raises:
        HttpError: 403, the key has it not.
    """
    try:
        viewer.require("admin")
    except ForbiddenError as error:
        raise forbidden(error) from error
    return viewer


Admin = Annotated[Principal, Depends(admin_of)]
"""Who asks for a change; in templates, `is_admin` says whether to offer it."""
