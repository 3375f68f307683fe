"""A set-up of a test's own, the doctor beside it, and its remedies carried out to the letter."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from unittest.mock import patch

import orjson
import psycopg
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported at run time
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from runledger.cli.doctor import exit_code, shown
from runledger.doctor import examine
from runledger.doctor.examination import DEFAULT_PATIENCE_SECONDS
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import Topic

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Report:
    """What the doctor said.

    Args:
        code: its exit code.
        findings: as in its JSON.
        seconds: how long it took, by itself.
        text: all that it printed.
    """

    code: int
    findings: list[dict[str, str]]
    seconds: float
    text: str

    def of(self, check: str) -> dict[str, str]:
        """The first finding of a check that is not ok, else the first."""
        found = [one for one in self.findings if one["check"] == check]
        assert found, f"{check} was not made: {self.text}"
        return next((one for one in found if one["verdict"] != "ok"), found[0])

    def all_of(self, check: str) -> list[dict[str, str]]:
        """Every finding of a check."""
        return [one for one in self.findings if one["check"] == check]

    @property
    def amiss(self) -> dict[str, str]:
        """{check: what it found} of all that is not ok."""
        return {one["check"]: one["found"] for one in self.findings if one["verdict"] != "ok"}


class Setup:
    """Topics and tables of a test's own.

    Args:
        connection: where they are.
        environment: of the commands that are run.
    """

    def __init__(self, connection: ConnectionSettings, environment: Mapping[str, str]) -> None:
        self.connection = connection
        self.admin = AdminClient({"bootstrap.servers": connection.kafka})  # kept: with it go its requests
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNLEDGER_")}
        self.environment = kept | {
            "RUNLEDGER_KAFKA": connection.kafka,
            "RUNLEDGER_POSTGRES": connection.postgres,
            "RUNLEDGER_TOPIC_PREFIX": connection.topic_prefix,
            **environment,
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command of ours."""
        return subprocess.run(
            [sys.executable, "-m", "runledger", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def doctor_command(self, *arguments: str) -> Report:
        """Run the doctor as people do, in a process of its own."""
        done = self.run("doctor", "--json", *arguments)
        assert "Traceback" not in done.stderr, done.stderr
        assert done.stdout, done.stderr
        document = orjson.loads(done.stdout)
        return Report(done.returncode, document["findings"], document["seconds"], done.stdout)

    def doctor(self, project: str | None = None, patience: float = DEFAULT_PATIENCE_SECONDS) -> Report:
        """Have the doctor look from within this process, which saves it a second of imports each time."""
        with patch.dict(os.environ, self.environment, clear=True):
            seen = examine(os.environ, project=project, patience_seconds=patience)
            findings = tuple(shown(seen.findings))
        told = [asdict(one) for one in findings]
        return Report(exit_code(findings), told, seen.seconds, repr(told))

    def obey(self, finding: Mapping[str, str]) -> None:
        """Do what a finding says: SQL at the database, `export` and `unset` in the environment, commands of ours."""
        command = finding["command"]
        assert command, finding
        if command.endswith(";"):
            self.sql(command)
            return
        verb, *words = shlex.split(command)
        if verb == "export":
            self.environment |= dict(word.split("=", 1) for word in words)
        elif verb == "unset":
            for word in words:
                del self.environment[word]
        else:
            assert verb == "runledger", command
            done = self.run(*words)
            assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)

    def mend(
        self, check: str, project: str | None = None, patience: float = DEFAULT_PATIENCE_SECONDS
    ) -> dict[str, str]:
        """Obey what the doctor says of a check, and see it content; return what it had found."""
        found = self.doctor(project, patience).of(check)
        assert found["verdict"] in {"problem", "warning"}, found
        self.obey(found)
        after = self.doctor(project, patience).of(check)
        assert after["verdict"] == "ok", after
        return found

    def sql(self, statement: str, named: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Run SQL as the tables' owner; each statement by itself."""
        with psycopg.connect(self.connection.postgres, autocommit=True) as connection:
            if named is not None:
                connection.execute(statement.encode(), named)
                return []
            rows: list[tuple[Any, ...]] = []
            for one in filter(None, (part.strip() for part in statement.split(";"))):
                cursor = connection.execute(one.encode())
                rows = cursor.fetchall() if cursor.description else []
            return rows

    def name(self, topic: Topic) -> str:
        """Full name of a topic."""
        return topic.name(self.connection.topic_prefix)

    def set_topic(self, topic: Topic, **settings: str) -> None:
        """Change settings of a topic; `__` stands for a dot."""
        entries = [
            ConfigEntry(name.replace("__", "."), value, incremental_operation=AlterConfigOpType.SET)
            for name, value in settings.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, self.name(topic), incremental_configs=entries)
        for done in self.admin.incremental_alter_configs([resource]).values():
            done.result()

    def produce(self, topic: Topic, *values: bytes, partition: int = 0, headers: Any = None) -> None:  # noqa: ANN401  # as the client takes them
        """Write records."""
        producer = Producer({"bootstrap.servers": self.connection.kafka})
        for value in values:
            producer.produce(self.name(topic), value, b"key", partition, headers=headers or [])
        assert producer.flush(20) == 0
