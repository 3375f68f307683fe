"""One site for all tests of this folder; whoever harms it heals it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.monitoring.prometheus import Programs, find_programs
from tests.monitoring.site import Site, running_site


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if "tests/monitoring/" in item.path.as_posix():
            item.add_marker(pytest.mark.monitoring)


@pytest.fixture(scope="session")
def programs() -> Programs:
    """Prometheus and promtool."""
    found = find_programs()
    if found is None:
        pytest.fail("no Prometheus: install it (apt-get install prometheus), or set RUNLEDGER_PROMETHEUS to its path")
    return found


@pytest.fixture(scope="session")
def site(servers: tuple[str, str], programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pipeline, and Prometheus."""
    with running_site(*servers, programs, tmp_path_factory.mktemp("monitoring")) as running:
        yield running
