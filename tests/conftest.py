"""Real servers for every test that needs them: outside addresses, else containers, else the embedded stack."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS
from runledger.topic_admin import ensure_topics
from tests.servers import running_servers


def pytest_configure() -> None:
    """Let the programs under test be interrupted: a shell's background job hands an ignored SIGINT down to them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
    settings = ConnectionSettings(kafka=servers[0], postgres=servers[1], topic_prefix=f"test-{uuid.uuid4().hex[:8]}.")
    ensure_topics(settings)
    yield settings
    names = [topic.name(settings.topic_prefix) for topic in ALL_TOPICS]
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    for deleted in admin.delete_topics(names).values():
        deleted.result()


@pytest.fixture
def database(servers: tuple[str, str]) -> Iterator[str]:
    """URI of an empty database of the test's own."""
    name = f"test_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(servers[1], autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        parts = psycopg.conninfo.conninfo_to_dict(servers[1]) | {"dbname": name}
        yield psycopg.conninfo.make_conninfo(**parts)  # type: ignore[arg-type]  # every part is text
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
