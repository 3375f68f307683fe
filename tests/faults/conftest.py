"""Sites on the common servers."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.site import MakeSite, Site, open_site

DEFAULT_SEED = 20261122
_PASSED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def seed() -> int:
    """Of everything random: RUNLEDGER_FAULTS_SEED, or always the same."""
    return int(os.environ.get("RUNLEDGER_FAULTS_SEED") or DEFAULT_SEED)


@pytest.fixture
def site(request: pytest.FixtureRequest, servers: tuple[str, str], tmp_path: Path, seed: int) -> Iterator[MakeSite]:
    """Make a site; it ends with the test."""
    sites: list[Site] = []
    with ExitStack() as stack:

        def make(fault: int, name: str, **options: object) -> Site:
            common = {"kafka": servers[0], "postgres": servers[1], "folder": tmp_path, "seed": seed}
            chosen: dict[str, object] = {**common, **options}
            sites.append(stack.enter_context(open_site(fault, name, **chosen)))  # type: ignore[arg-type]  # as MakeSite says
            return sites[-1]

        yield make
    for made in sites:
        made.result.survived = request.node.stash.get(_PASSED, False)
        made.result.write()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test has passed: its report says so."""
    report = yield
    if report.when == "call":
        item.stash[_PASSED] = report.passed
    return report
