"""The pages, one module each: what is listed here is served, and stands in the navigation in this order."""

from __future__ import annotations

from typing import Protocol

from fastapi import APIRouter

from runledger.analytics.dashboard.pages import agents, costs, failures, overview, pipeline, runs
from runledger.analytics.dashboard.rendering import Place


class Page(Protocol):
    """What a page's module has."""

    @property
    def PLACE(self) -> Place:  # noqa: N802  # a constant of the module
        """Where it stands in the navigation."""

    @property
    def router(self) -> APIRouter:
        """Its routes."""


PAGES: tuple[Page, ...] = (overview, agents, runs, failures, costs, pipeline)
