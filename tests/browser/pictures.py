"""The pictures of the documentation: a local stack, the tests' stories, and a browser. `make pictures` renews them.

They show what the pages look like today: run it again when they change, and look at what it made.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from runledger.schemas.topics import DEFAULT_PARTITIONS, DEFAULT_PREFIX
from runledger.stack import Plan, Stack
from tests.browser.looking import Onlooker, find_chromium
from tests.browser.runs_story import RunsStory, told_runs
from tests.browser.site import Told, make_keys, wait_until_told
from tests.browser.story import PROJECT, tell_story
from tests.e2e.pipeline import wait_for
from tests.servers import stack_folder

IMAGES = Path(__file__).parents[2] / "docs" / "images"
MOST_BYTES = 160_000
_WIDTH = 1280
_SECONDS = 60
_SOLVED_BEFORE = "ConnectionRefusedError: [Errno 111] connect to 10.0.0.9:5432"
"""Of one kind with what aurora met."""


@dataclass(frozen=True)
class Picture:
    """A page's upper part.

    Args:
        name: of the file.
        path: of the page.
        height: in pixels.
        dark: in the dark.
        key: of whom.
        ready: (selector, pattern of its text) to wait for; None where the page is complete when it is there.
    """

    name: str
    path: str
    height: int
    dark: bool = False
    key: str = "read"
    ready: tuple[str, str] | None = None


def pictures(story: RunsStory) -> Iterator[Picture]:
    """Name them all."""
    yield Picture("overview-light", "/", 778)
    yield Picture("overview-dark", "/", 778, dark=True)
    yield Picture("agent", "/agents/airline?within=5y", 880)
    yield Picture("run", f"/runs/{story.rich}", 1214, key="maps")
    yield Picture("failures", "/failures", 484)
    yield Picture("pipeline", "/pipeline", 834, ready=("#tile-arriving .tile-value", r"^[\d.,]+$"))


@contextmanager
def told_stack() -> Iterator[tuple[Told, RunsStory]]:
    """Run a local stack of our own and tell it both stories."""
    plan = Plan(durable=False, topic_prefix=DEFAULT_PREFIX, partitions=DEFAULT_PARTITIONS)
    with stack_folder() as folder, Stack(folder).running(plan, on_progress=_say) as addresses:
        assert addresses.dashboard is not None
        settings = plan.connection(addresses)
        told = Told(addresses.dashboard, settings, make_keys(addresses.postgres))
        tell_story(settings)
        runs = told_runs(told)
        wait_until_told(told)
        _tell_regression(told)
        yield told, runs


def _tell_regression(told: Told) -> None:
    """Have an agent meet what another one had solved."""
    with told.client() as client:
        run = client.start_run(PROJECT, "airline", summary="Rebook a passenger")
        run.failure("The database cannot be reached", error=_SOLVED_BEFORE)
        run.end("failed", summary="Could not look the booking up")
    regressed = "SELECT count(*) FROM failure_group WHERE state = 'regressed'"
    wait_for("the regression", lambda: told.value(regressed) == 1, _SECONDS)


def take(onlooker: Onlooker, picture: Picture) -> Path:
    """Take one picture; return its file."""
    page = onlooker.open(picture.path, key=picture.key, screen="dark" if picture.dark else "desktop")
    page.set_viewport_size({"width": _WIDTH, "height": picture.height})
    _wait_until_ready(page, picture)
    file = IMAGES / f"{picture.name}.png"
    page.screenshot(path=file, animations="disabled", caret="hide")
    page.close()
    return file


def _wait_until_ready(page: Page, picture: Picture) -> None:
    expect(page.locator("#freshness")).to_contain_text("Live", timeout=_SECONDS * 1000)
    if picture.ready is not None:
        selector, pattern = picture.ready
        expect(page.locator(selector)).to_have_text(re.compile(pattern), timeout=_SECONDS * 1000)


def take_all(browser: Browser) -> list[Path]:
    """Take every picture."""
    IMAGES.mkdir(exist_ok=True)
    with told_stack() as (told, story):
        onlooker = Onlooker(browser, told, patience_seconds=60)
        files = [take(onlooker, picture) for picture in pictures(story)]
        onlooker.close()
    return files


def main() -> int:
    """Take them, say how large they are; 1 where there is no browser or one is too large."""
    program = find_chromium()
    if program is None:
        _say("no browser: install chromium (apt-get install chromium), or set RUNLEDGER_CHROMIUM to one")
        return 1
    with sync_playwright() as playwright:
        # As root, and within containers, its sandbox cannot work; it is shown our own pages only.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        files = take_all(browser)
        browser.close()
    for file in files:
        _say(f"{file}: {file.stat().st_size:,} bytes")
    return int(any(file.stat().st_size > MOST_BYTES for file in files))


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
