"""The dashboard as an ASGI application.

To add a page:

1. `pages/<page>.py`: a module with `PLACE = Place("Agents", "/agents")` and an `APIRouter` named `router`. A route
   takes `request: Request, desk: TheDesk, viewer: Viewer` and its filters (`Annotated[Question, Query()]`, where
   `Question` is a pydantic model with extra="forbid": what it refuses becomes a page that says so), and returns
   `await desk.page(request, viewer, "agents.html", read)`. `read` is an async function without arguments that reads by
   the ledger's readers (`desk.database`) for `viewer.project_key`, and returns what the template is given: usually
   {"page": a frozen dataclass}. Charts are markup made by `charts/`, put into that dataclass.
2. `templates/<page>.html` extends `base.html` and fills the blocks `title` and `content` (an `<h1>`, then sections).
   What changes is marked `data-live` (with an `id`), so that the open page follows; a `data-key` on items of lists lets
   them move. `m.` has states, tiles, empty states (macros.html); `ago(moment)`, `at(moment)`,
   `link("/runs", run_id, state="failing")` and the filters `count`, `money`, `duration`, `share`, `score`, `short`,
   `exact` write values. No style attributes, no inline script: the policy of the page forbids them.
   A search field is marked `data-search` (the key `/` leads there).
3. `static/style.css`: rules of the page alone stand in a section of its own at the end.
4. `pages/__init__.py`: add the module to `PAGES`, in the order of the navigation.
5. `tests/browser/test_<page>.py`, with the fixtures of tests/browser/conftest.py.

A change (POST) takes `admin: Admin` instead of `viewer: Viewer`, reads its form with `login.read_form`, and answers
with a 303 to a page; that the request comes from our own page was checked before (`guard`). What needs more than the
tables, such as the broker, is handed to `create_app` by the front door (runledger/cli/worker.py) as an object with a
Protocol here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from runledger.access.http.answers import HealthAnswer
from runledger.access.http.paths import WholePaths
from runledger.access.keyring import KeyRing
from runledger.analytics.counters import CompletedCounts
from runledger.analytics.dashboard import assets, login, stream
from runledger.analytics.dashboard.backstage import Backstage
from runledger.analytics.dashboard.control_room import ControlRoom
from runledger.analytics.dashboard.desk import Desk
from runledger.analytics.dashboard.errors import handle_page_errors
from runledger.analytics.dashboard.guard import Guard
from runledger.analytics.dashboard.live import Live
from runledger.analytics.dashboard.pages import PAGES, public
from runledger.analytics.dashboard.settings import DashboardSettings
from runledger.analytics.database import Database
from runledger.analytics.intelligence import IntelligenceReader


def create_app(settings: DashboardSettings, backstage: Backstage) -> FastAPI:
    """Make the application; connections are opened when it starts and closed when it stops.

    Args:
        settings: of the dashboard.
        backstage: looks at what is not in the tables, and makes the few changes.

    Raises:
        CounterError: two installed packages register counts of one name.
    """
    counts = CompletedCounts.installed()
    keys, database, strangers = KeyRing(settings.postgres), Database(settings.read_uri), Database(settings.read_uri)
    live, room = Live(database), ControlRoom(backstage, settings.topic_prefix)
    desk = Desk(settings, keys, database, IntelligenceReader(strangers, counts), live)
    desk.renderer.places = tuple(page.PLACE for page in PAGES)

    @asynccontextmanager
    async def connected(_app: FastAPI) -> AsyncIterator[None]:
        async with keys, database, strangers:
            following = asyncio.create_task(room.follow())
            yield
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await live.close()

    app = FastAPI(
        title="Runledger dashboard",
        lifespan=connected,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.desk = desk
    app.state.room = room
    for router in (*(page.router for page in PAGES), public.router, login.router, stream.router, assets.router):
        app.include_router(router)
    app.add_api_route("/healthz", healthz)
    app.add_middleware(WholePaths)
    app.add_middleware(Guard, allowed_hosts=settings.dashboard_allowed_hosts)
    handle_page_errors(app)
    return app


async def healthz() -> HealthAnswer:
    """Tell that the process lives."""
    return HealthAnswer(status="ok")
