"""How a page is looked at: at a desk, on a phone, in the dark; by eyes, by keyboard, by a screen reader's rules."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.browser.site import Told

Screen: TypeAlias = Literal["desktop", "phone", "dark"]
SCREENS: tuple[Screen, ...] = ("desktop", "phone", "dark")
SCREENSHOTS = Path("build/screenshots")
_SERIOUS = {"serious", "critical"}
_SCREENSHOT_MS = 60_000
"""A long page on a busy machine."""
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def find_chromium() -> str | None:
    """Name the browser's program: RUNLEDGER_CHROMIUM, or what the system has."""
    given = os.environ.get("RUNLEDGER_CHROMIUM")
    return given or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@dataclass
class Onlooker:
    """Opens pages, and remembers what their consoles complained of.

    Args:
        browser: the browser.
        site: where it looks.
        complaints: lines of errors; a test that provokes one takes it out.
        patience_seconds: how long to wait for a page or a part of it.
    """

    browser: Browser
    site: Told
    complaints: list[str] = field(default_factory=list)
    patience_seconds: float = 30
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(
        self, path: str = "/", *, key: str | None = "admin", screen: Screen = "desktop", javascript: bool = True
    ) -> Page:
        """Open a page as somebody of his own, logged in by one of `site.keys`; None for a stranger."""
        context = self.browser.new_context(
            viewport={"width": 360, "height": 740} if screen == "phone" else {"width": 1280, "height": 800},
            device_scale_factor=2 if screen == "phone" else 1,
            is_mobile=screen == "phone",
            color_scheme="dark" if screen == "dark" else "light",
            java_script_enabled=javascript,
            base_url=self.site.url,
        )
        context.set_default_timeout(self.patience_seconds * 1000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if key is not None:
            log_in(page, self.site.keys[key])
        page.goto(path)
        return page

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def forgive(self, pattern: str) -> None:
        """Take out complaints that a test provoked: there must be one.

        Raises:
            AssertionError: there was none.
        """
        left = [line for line in self.complaints if not re.search(pattern, line)]
        assert len(left) < len(self.complaints), f"no complaint matches {pattern}"
        self.complaints[:] = left

    def close(self) -> None:
        """Close all its pages."""
        while self._contexts:
            self._contexts.pop().close()


def log_in(page: Page, key: str) -> None:
    """Log in by hand."""
    page.goto("/login")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/login" not in url)


def assert_accessible(page: Page) -> None:
    """No serious finding of axe."""
    found = Axe().run(page, options={**_RULES, "resultTypes": ["violations"]}).response["violations"]
    serious = [
        f"{one['id']} ({one['impact']}): {[it['target'] for it in one['nodes']]}: {one['nodes'][0]['failureSummary']}"
        for one in found
        if one["impact"] in _SERIOUS
    ]
    assert not serious, "\n".join(serious)


def assert_fits(page: Page) -> None:
    """Nothing makes the page scroll sideways."""
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= screen, f"{wide} pixels on a screen of {screen}"


def photograph(
    onlooker: Onlooker,
    path: str,
    name: str,
    prepare: Callable[[Page], object] = lambda _: None,
    *,
    key: str | None = "admin",
) -> None:
    """Look at a page on each screen: it fits, has no serious finding of axe, and is kept in build/screenshots.

    Args:
        onlooker: who looks.
        path: of the page.
        name: of the files.
        prepare: does something with the page before, such as opening a part of it.
        key: of whom; None for a stranger.
    """
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for screen in SCREENS:
        page = onlooker.open(path, screen=screen, key=key)
        prepare(page)
        page.screenshot(path=SCREENSHOTS / f"{name}-{screen}.png", full_page=True, timeout=_SCREENSHOT_MS)
        assert_fits(page)
        assert_accessible(page)
