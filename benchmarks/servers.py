"""The broker and the database of a benchmark, and a fresh corner of them for each round."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks import topics
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import RUN_EVENTS
from runledger.sinks.migrate import migrate
from runledger.stack import Plan, Stack
from runledger.topic_admin import ensure_topics


@dataclass(frozen=True, slots=True)
class Corner:
    """Topics, a database and a folder of one round's own.

    Args:
        settings: addresses, and the topics' prefix.
        folder: for logs and state; removed afterwards.
    """

    settings: ConnectionSettings
    folder: Path

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""
        return self.settings.kafka

    @property
    def source(self) -> str:
        """The topic every contestant of the round reads."""
        return RUN_EVENTS.name(self.settings.topic_prefix)

    @property
    def word(self) -> str:
        """Part of the name of every topic and group of the round."""
        return self.settings.topic_prefix.rstrip(".")

    def environment(self) -> dict[str, str]:
        """What a worker of ours is told."""
        return {
            "RUNLEDGER_KAFKA": self.settings.kafka,
            "RUNLEDGER_POSTGRES": self.settings.postgres,
            "RUNLEDGER_TOPIC_PREFIX": self.settings.topic_prefix,
            "RUNLEDGER_PARTITIONS": str(self.settings.partitions),
        }

    def connect(self) -> psycopg.Connection:
        """Open a connection to the round's database."""
        return psycopg.connect(self.settings.postgres, autocommit=True)


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the broker and the database are.

    Args:
        kafka: bootstrap servers.
        postgres: URI of a database in which databases may be created.
        partitions: of every topic.
    """

    kafka: str
    postgres: str
    partitions: int = 4

    @contextmanager
    def corner(self) -> Iterator[Corner]:
        """Give topics, a migrated database and a folder for the length of a block."""
        name = f"bench_{uuid.uuid4().hex[:8]}"
        parts = psycopg.conninfo.conninfo_to_dict(self.postgres) | {"dbname": name}
        settings = ConnectionSettings(
            kafka=self.kafka,
            postgres=psycopg.conninfo.make_conninfo(**parts),  # type: ignore[arg-type]  # every part is text
            topic_prefix=f"{name}.",
            partitions=self.partitions,
        )
        with (
            tempfile.TemporaryDirectory(prefix="runledger-bench-") as folder,
            psycopg.connect(self.postgres, autocommit=True) as connection,
        ):
            connection.execute(f'CREATE DATABASE "{name}"')
            try:
                migrate(settings.postgres)
                ensure_topics(settings)
                topics.wait_for_coordinators(self.kafka, settings.topic_prefix, RUN_EVENTS.name(settings.topic_prefix))
                yield Corner(settings, Path(folder))
            finally:
                topics.delete_all(self.kafka, name)
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Start the embedded stack's broker and database, or take those of RUNLEDGER_KAFKA and RUNLEDGER_POSTGRES."""
    plan = Plan.from_environment(pipeline=False)
    with (
        tempfile.TemporaryDirectory(prefix="runledger-bench-stack-") as folder,
        Stack(Path(folder)).running(plan) as addresses,
    ):
        yield Servers(addresses.kafka, addresses.postgres)
