"""A gateway in a process of its own, on topics and a database of the test module's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from runledger.access.projects import create_key, create_project
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS
from runledger.sinks.migrate import migrate
from runledger.topic_admin import ensure_topics
from tests.integration.producers.gateway.serving import Caller, serving


@pytest.fixture(scope="package")
def settings(servers: tuple[str, str]) -> Iterator[ConnectionSettings]:
    """Servers, a topic prefix and a database with its tables, of these tests' own."""
    name = f"test_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(servers[1], autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        parts = psycopg.conninfo.conninfo_to_dict(servers[1]) | {"dbname": name}
        uri = psycopg.conninfo.make_conninfo(**parts)  # type: ignore[arg-type]  # every part is text
        settings = ConnectionSettings(kafka=servers[0], postgres=uri, topic_prefix=f"{name}.")
        ensure_topics(settings)
        migrate(uri)
        yield settings
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    for deleted in admin.delete_topics([topic.name(settings.topic_prefix) for topic in ALL_TOPICS]).values():
        deleted.result()


@pytest.fixture(scope="package")
def keys(settings: ConnectionSettings) -> dict[str, str]:
    """Name to API key: of two projects, one that may only read, one that may everything."""
    with psycopg.connect(settings.postgres, autocommit=True) as connection:
        create_project(connection, "acme")
        create_project(connection, "other")
        return {
            "acme": create_key(connection, "acme", ["emit"]).text(),
            "other": create_key(connection, "other", ["emit", "read"]).text(),
            "reader": create_key(connection, "acme", ["read"]).text(),
            "admin": create_key(connection, "acme", ["emit", "admin"]).text(),
        }


@pytest.fixture(scope="package")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the gateway logs."""
    return tmp_path_factory.mktemp("gateway") / "gateway.log"


@pytest.fixture(scope="package")
def url(settings: ConnectionSettings, log: Path) -> Iterator[str]:
    """Where it answers."""
    with serving(settings, log) as url:
        yield url


@pytest.fixture
def acme(url: str, keys: dict[str, str]) -> Iterator[Caller]:
    """A caller of project acme."""
    with Caller(url, keys["acme"]) as caller:
        yield caller


@pytest.fixture
def nobody(url: str) -> Iterator[Caller]:
    """A caller without a key."""
    with Caller(url, None) as caller:
        yield caller
