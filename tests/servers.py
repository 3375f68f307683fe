"""Where the tests' broker and database come from: given addresses, else containers, else the embedded stack."""

from __future__ import annotations

import os
import socket
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from confluent_kafka.admin import AdminClient

from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS, DEFAULT_PARTITIONS, DEFAULT_PREFIX
from runledger.stack import Addresses, Plan, Stack
from runledger.topic_admin import ensure_topics

_ENGINE_ANSWER_SECONDS = 3
_DEFAULT_ENGINE = "unix:///var/run/docker.sock"
_KAFKA_IMAGE = "confluentinc/cp-kafka:8.1.0"  # Apache Kafka 4.1, in the form testcontainers can start
_POSTGRES_IMAGE = "postgres:18"


@contextmanager
def running_servers() -> Iterator[Addresses]:
    """Give a broker and a database for the length of the block."""
    with ExitStack() as stack:
        yield _given() or _containers(stack) or _embedded(stack)


@contextmanager
def own_topics(kafka: str, postgres: str) -> Iterator[ConnectionSettings]:
    """Give a topic prefix that nobody else uses, with every topic created, for the length of the block."""
    settings = ConnectionSettings(kafka=kafka, postgres=postgres, topic_prefix=f"test-{uuid.uuid4().hex[:8]}.")
    ensure_topics(settings)
    yield settings
    names = [topic.name(settings.topic_prefix) for topic in ALL_TOPICS]
    admin = AdminClient({"bootstrap.servers": kafka})
    for deleted in admin.delete_topics(names).values():
        deleted.result()


@contextmanager
def own_database(postgres: str) -> Iterator[str]:
    """Give the URI of an empty database that nobody else uses, for the length of the block."""
    name = f"test_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        parts = psycopg.conninfo.conninfo_to_dict(postgres) | {"dbname": name}
        yield psycopg.conninfo.make_conninfo(**parts)  # type: ignore[arg-type]  # every part is text
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def stack_folder() -> Iterator[Path]:
    """Give a data folder for a stack, removed at the end.

    Not one of pytest's: another session of root's closes their common parent to the user that runs Postgres.
    """
    with tempfile.TemporaryDirectory(prefix="runledger-") as folder:
        yield Path(folder)


def _given() -> Addresses | None:
    kafka, postgres = os.environ.get("RUNLEDGER_KAFKA"), os.environ.get("RUNLEDGER_POSTGRES")
    return Addresses(kafka=kafka, postgres=postgres) if kafka and postgres else None


def _containers(stack: ExitStack) -> Addresses | None:
    return _start_containers(stack) if _engine_answers() else None


def _engine_answers() -> bool:
    # By hand rather than with Docker's client, which leaves its socket open when nobody listens.
    scheme, _, place = os.environ.get("DOCKER_HOST", _DEFAULT_ENGINE).partition("://")
    family = socket.AF_UNIX if scheme == "unix" else socket.AF_INET
    host, _, port = place.rpartition(":")
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ENGINE_ANSWER_SECONDS)
        try:
            connection.connect(place if scheme == "unix" else (host, int(port)))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(64)
        except (OSError, ValueError):
            return False


def _start_containers(stack: ExitStack) -> Addresses:
    from testcontainers.community.kafka import KafkaContainer  # noqa: PLC0415 - slow, and rarely needed
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415 - slow, and rarely needed

    kafka = KafkaContainer(_KAFKA_IMAGE).with_kraft()
    for name, value in {
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }.items():
        kafka.with_env(name, value)
    stack.enter_context(kafka)
    postgres = stack.enter_context(PostgresContainer(_POSTGRES_IMAGE, driver=None))
    return Addresses(kafka=kafka.get_bootstrap_server(), postgres=postgres.get_connection_url())


def _embedded(stack: ExitStack) -> Addresses:
    data_dir = stack.enter_context(stack_folder())
    plan = Plan(pipeline=False, durable=False, topic_prefix=DEFAULT_PREFIX, partitions=DEFAULT_PARTITIONS)
    return stack.enter_context(Stack(data_dir).running(plan))


def own_environment() -> dict[str, str]:
    """The environment without the test run's own servers: a stack starts its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RUNLEDGER_")}
