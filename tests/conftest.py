"""Real servers for every test that needs them: outside addresses, else containers, else the embedded stack."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings

from runledger.schemas.settings import ConnectionSettings
from tests.servers import own_database, own_topics, running_servers

settings.register_profile("patient", deadline=None)  # a busy machine must not fail an example for being slow
settings.load_profile("patient")


def pytest_configure() -> None:
    """Let the programs under test be interrupted: a shell's background job hands an ignored SIGINT down to them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test an id of its own, and begin with the files of slow tests.

    Of several tests with one id, xdist runs the first alone. The ids that schemathesis gives lack the operation (since
    pytest 9.2), so such tests are named anew. A long file that comes last would have the other workers wait for it.
    """
    for item in items:
        if item.parent is not None and not item.nodeid.endswith(f"::{item.name}"):
            item._id = item.parent.id.child(item.name)
    twice = [nodeid for nodeid, count in Counter(item.nodeid for item in items).items() if count > 1]
    if twice:
        raise pytest.UsageError(f"several tests are called {twice[0]}: of them, one alone would run")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured: their `record_property("report", …)` lines."""
    for outcome in terminalreporter.stats.values():
        for result in outcome:
            for name, value in getattr(result, "user_properties", ()):
                if name == "report" and getattr(result, "when", "") == "call":
                    terminalreporter.write_line(f"{result.nodeid}: {value}")


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[str, str]]:
    """(Kafka bootstrap servers, URI of a Postgres database in which databases may be created)."""
    with running_servers() as addresses:
        yield addresses.kafka, addresses.postgres


@pytest.fixture
def topics(servers: tuple[str, str]) -> Iterator[ConnectionSettings]:
    """A topic prefix of the test's own, with every topic created."""
    with own_topics(*servers) as settings:
        yield settings


@pytest.fixture
def database(servers: tuple[str, str]) -> Iterator[str]:
    """URI of an empty database of the test's own."""
    with own_database(servers[1]) as uri:
        yield uri
