"""One browser and one site for the whole session; a new onlooker for each test, who must have no complaint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.looking import Onlooker, find_chromium
from tests.browser.site import Site, running_site


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser."""
    program = find_chromium()
    if program is None:
        pytest.fail("no browser: install chromium (apt-get install chromium), or set RUNLEDGER_CHROMIUM to one")
    with sync_playwright() as playwright:
        # As root, and within containers, its sandbox cannot work; it is shown our own pages only.
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def site(servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pipeline with its dashboard, its story told; tests may add to it, under names of their own."""
    with running_site(*servers, tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def onlooker(browser: Browser, site: Site) -> Iterator[Onlooker]:
    """Opens pages; at the end no console may have complained."""
    made = Onlooker(browser, site)
    yield made
    made.close()
    assert made.complaints == []


@pytest.fixture
def page(onlooker: Onlooker) -> Page:
    """The first page, logged in with every scope, at a desk."""
    return onlooker.open()
