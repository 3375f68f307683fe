"""The read API in a process of its own, on a database that holds two projects' stories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from runledger.access.projects import create_key, create_project
from runledger.sinks.migrate import migrate
from runledger.sinks.settings import SinkSettings
from runledger.sinks.writer import Writer
from tests.integration.analytics.http.serving import Asker, serving
from tests.integration.analytics.http.telling import records_of
from tests.integration.sinks.conftest import Ledger
from tests.servers import own_database


@pytest.fixture(scope="package")
def uri(servers: tuple[str, str]) -> Iterator[str]:
    """A database that the package's tests read and never change."""
    with own_database(servers[1]) as uri:
        migrate(uri)
        _tell(uri)
        yield uri


def _tell(uri: str) -> None:
    writer = Writer(SinkSettings(postgres=uri))
    with psycopg.connect(uri, autocommit=True) as connection:
        ledger = Ledger(uri, connection, writer)
        ledger.write(records_of("acme", 0, partition=0))
        ledger.write(records_of("other", 100, partition=1))
        create_project(connection, "empty")
        connection.execute("UPDATE project SET is_public = true WHERE project_key = 'acme'")
    writer.close()


@pytest.fixture(scope="package")
def keys(uri: str) -> dict[str, str]:
    """Name to API key: of three projects to read, and one that may only emit."""
    with psycopg.connect(uri, autocommit=True) as connection:
        return {
            "acme": create_key(connection, "acme", ["read"]).text(),
            "other": create_key(connection, "other", ["read", "emit"]).text(),
            "empty": create_key(connection, "empty", ["read"]).text(),
            "emitter": create_key(connection, "acme", ["emit"]).text(),
        }


@pytest.fixture(scope="package")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the read API logs."""
    return tmp_path_factory.mktemp("api") / "api.log"


@pytest.fixture(scope="package")
def url(uri: str, log: Path) -> Iterator[str]:
    """Where it answers."""
    with serving(uri, log) as url:
        yield url


@pytest.fixture
def acme(url: str, keys: dict[str, str]) -> Iterator[Asker]:
    """A reader of project acme."""
    with Asker(url, keys["acme"]) as asker:
        yield asker


@pytest.fixture
def other(url: str, keys: dict[str, str]) -> Iterator[Asker]:
    """A reader of project other."""
    with Asker(url, keys["other"]) as asker:
        yield asker


@pytest.fixture
def empty(url: str, keys: dict[str, str]) -> Iterator[Asker]:
    """A reader of a project of which nothing was ever told."""
    with Asker(url, keys["empty"]) as asker:
        yield asker


@pytest.fixture
def nobody(url: str) -> Iterator[Asker]:
    """A reader without a key."""
    with Asker(url, None) as asker:
        yield asker
