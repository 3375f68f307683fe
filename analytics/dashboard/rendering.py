"""Templates, and the values and functions that all of them have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from markupsafe import Markup

from runledger.access.keys import Principal
from runledger.analytics.dashboard import formats, words
from runledger.analytics.dashboard.assets import asset_url
from runledger.analytics.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Place:
    """One place of the navigation.

    Args:
        title: as it stands there.
        path: of the page; what lies below it belongs to the same place.
    """

    title: str
    path: str

    def holds(self, path: str) -> bool:
        """Tell whether a page belongs here."""
        return path == self.path or (self.path != "/" and path.startswith(f"{self.path}/"))


class Renderer:
    """Draws pages; a name that a template misspells is an error, never an empty place."""

    def __init__(self) -> None:
        self.places: tuple[Place, ...] = ()
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("runledger.analytics.dashboard", "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals["asset"] = asset_url
        self._environment.globals["link"] = link
        self._environment.globals["at"] = formats.at
        for name in ("count", "money", "duration", "share", "score", "short", "exact"):
            self._environment.filters[name] = getattr(formats, name)
        self._environment.filters["told"] = words.told

    def draw(
        self,
        template: str,
        path: str,
        now: datetime,
        viewer: Principal | None,
        pipeline: Pipeline | None,
        model: Mapping[str, object],
    ) -> bytes:
        """Draw a page.

        Args:
            template: name of its file.
            path: of the page, for the navigation.
            now: what relative times are relative to.
            viewer: who looks; None on pages for anybody.
            pipeline: how far it has come; None on pages that show nothing of it.
            model: what the page shows.
        """

        def ago(moment: datetime | None, otherwise: str = "never") -> Markup:
            return formats.ago(moment, now, otherwise)

        shell: dict[str, Any] = {
            "places": self.places,
            "path": path,
            "now": now,
            "ago": ago,
            "viewer": viewer,
            "is_admin": viewer is not None and "admin" in viewer.scopes,
            "pipeline": pipeline,
        }
        # Macros see what templates are given only where they are imported `with context`.
        return self._environment.get_template(template).render({**shell, **model}).encode()


def link(path: str, *parts: object, **query: object) -> str:
    """Write the address of a page: `link("/agents", agent_id, state="failing")`.

    Args:
        path: begins it.
        parts: added to it, each quoted; slashes within one stay as they are.
        query: filters; those that are None or empty are left out.
    """
    below = "".join(f"/{quote(str(part), safe='/~')}" for part in parts)
    asked = urlencode({name.rstrip("_"): value for name, value in query.items() if value not in (None, "")})
    return f"{path.rstrip('/')}{below}" + (f"?{asked}" if asked else "") or "/"
