"""Every process with a user of its own at the broker and a login of its own at the database, and few rights."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from psycopg.errors import InsufficientPrivilege

from runledger.access.projects import create_project
from runledger.schemas.kafka_security import KafkaSettings, kafka_client
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import (
    AGENTS,
    INCIDENTS,
    PARTITIONER,
    RUN_EVENTS,
    RUN_LOG,
    RUNS,
    SETTINGS,
    Topic,
)
from runledger.sinks.migrate import migrate
from runledger.stack.ports import choose_port
from tests.e2e.pipeline import pipeline, wait_for
from tests.integration.security.rights import admit, login
from tests.integration.security.test_tls import scored
from tests.secure_servers import SecureBroker

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SECONDS = 150
GROUPS = {
    "sink": ("runledger_write",),
    "relay": ("runledger_write",),
    "watch": ("runledger_watch",),
    "gateway": ("runledger_keys",),
    "mcp": ("runledger_keys", "runledger_read"),
    "api": ("runledger_keys", "runledger_read"),
    "dashboard": ("runledger_keys", "runledger_read"),
}
"""{worker: groups of its login}; processors and scorers have no business in the database."""


def command(environment: Mapping[str, str], *arguments: str) -> str:
    """Run one command of ours; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "runledger", *arguments],
        env=os.environ | dict(environment),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def answers(url: str) -> bool:
    """Whether a door is ready."""
    try:
        return httpx.get(url).is_success
    except httpx.HTTPError:
        return False


@pytest.mark.timeout(600)
def test_the_pipeline_works_with_no_more_rights_than_documented(
    broker: SecureBroker, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = f"acl-{uuid.uuid4().hex[:8]}."
    users = admit(broker, prefix)
    command(users["migration"] | {"RUNLEDGER_POSTGRES": database}, "migrate")
    settings = ConnectionSettings(kafka=broker.sasl, postgres=login(database), topic_prefix=prefix)
    ports = {name: choose_port() for name in ("HTTP", "MCP", "API", "DASHBOARD")}
    doors = {f"RUNLEDGER_{name}_PORT": str(port) for name, port in ports.items()}
    operator = users["operator"] | {"RUNLEDGER_POSTGRES": login(database, "runledger_access")}
    created = command(operator, "project", "create", "least", "--scope", "emit", "--scope", "read")
    key = next(word for word in created.split() if word.startswith("rl."))

    with pipeline(settings, tmp_path, ()) as running:
        for worker in ("processor", "sink", "relay", "scorer", "watch", "gateway", "mcp", "api", "dashboard"):
            user = users.get(worker, users["producer"])
            uri = login(database, *GROUPS[worker]) if worker in GROUPS else login(database)
            running.start(worker, {**user, **doors, "RUNLEDGER_POSTGRES": uri})
        gateway, api = (f"http://127.0.0.1:{ports[name]}" for name in ("HTTP", "API"))
        wait_for("the gateway", lambda: answers(f"{gateway}/readyz"), SECONDS)
        wait_for("the API", lambda: answers(f"{api}/healthz"), SECONDS)
        bearer = {"Authorization": f"Bearer {key}"}
        event = {"agent_id": "sage", "status": "success", "actions_taken": {"summary": "with few rights"}}
        told = httpx.post(f"{gateway}/api/v1/internal/agent-run-log", json=event, headers=bearer)
        assert told.is_success, told.text
        reader = login(database, "runledger_read")
        wait_for("row, score and watermark", lambda: scored(reader), SECONDS)
        read = httpx.get(f"{api}/api/v1/runs", headers=bearer)
        assert read.json()["runs"], read.text
        command(operator | {"RUNLEDGER_POSTGRES": login(database, "runledger_write")}, "verify")
        command(users["dlq"] | {"RUNLEDGER_POSTGRES": reader}, "dlq", "list")
        processor = psutil.Process(next(worker.pid for worker in running.workers if worker.name == "processor"))
        assert not [one for one in processor.net_connections() if one.status == psutil.CONN_LISTEN]
        exits = {worker.name: list(worker.exits) for worker in running.workers}
    assert not any(exits.values()), exits


def produce(environment: Mapping[str, str], topic: Topic) -> KafkaError | None:
    """Try to write; return why it was refused."""
    settings = settings_of(environment)
    producer = Producer(
        {**kafka_client(settings), "partitioner": PARTITIONER, "log_level": 0, "message.timeout.ms": 9000}
    )
    refused: list[KafkaError | None] = []

    def report(error: KafkaError | None, _message: Message) -> None:
        refused.append(error)

    producer.produce(topic.name(environment["RUNLEDGER_TOPIC_PREFIX"]), b"{}", b"k", on_delivery=report)
    producer.flush(10)
    return refused[0]


def consume(environment: Mapping[str, str], topic: Topic) -> KafkaError | None:
    """Try to read, outside of any group; return why it was refused."""
    settings = settings_of(environment)
    own = {"group.id": "none", "enable.partition.eof": True, "log_level": 0, "auto.offset.reset": "earliest"}
    consumer, name = Consumer({**kafka_client(settings), **own}), topic.name(environment["RUNLEDGER_TOPIC_PREFIX"])
    try:
        unseen: KafkaError | None = consumer.list_topics(name, timeout=9).topics[name].error
        if unseen is not None:
            return unseen
        consumer.assign([TopicPartition(name, 0, 0)])
        while (message := consumer.poll(9)) is not None:
            error = message.error()
            if error is None or error.code() == KafkaError._PARTITION_EOF:
                return None
            if error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:
                return error
        raise AssertionError("neither read nor refused")
    finally:
        consumer.close()


def settings_of(environment: Mapping[str, str]) -> KafkaSettings:
    """Make settings of an environment that is not ours."""
    fields = {name.removeprefix("RUNLEDGER_").lower(): value for name, value in environment.items()}
    return KafkaSettings.model_validate({name: fields[name] for name in KafkaSettings.model_fields if name in fields})


@pytest.mark.parametrize(
    ("kind", "attempt", "topic"),
    [
        ("producer", produce, RUNS),
        ("producer", produce, SETTINGS),
        ("producer", consume, RUN_EVENTS),
        ("sink", produce, RUN_EVENTS),
        ("relay", produce, RUN_EVENTS),
        ("scorer", produce, RUN_LOG),
        ("scorer", consume, RUNS),
        ("watch", produce, RUN_EVENTS),
        ("watch", consume, INCIDENTS),
        ("processor", produce, SETTINGS),
        ("operator", consume, AGENTS),
    ],
    ids=range(11),
)
def test_what_is_nobodys_work_is_refused_to_him(
    kind: str,
    attempt: Callable[[Mapping[str, str], Topic], KafkaError | None],
    topic: Topic,
    broker: SecureBroker,
    own_topics: dict[str, dict[str, str]],
) -> None:
    refused = attempt(own_topics[kind], topic)
    assert refused is not None
    assert refused.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_another_group_and_another_owners_transactions_are_refused(own_topics: dict[str, dict[str, str]]) -> None:
    environment = own_topics["sink"]
    prefix = environment["RUNLEDGER_TOPIC_PREFIX"]
    told = kafka_client(settings_of(environment)) | {"log_level": 0}
    consumer = Consumer({**told, "group.id": f"{prefix}processors"})
    try:
        consumer.subscribe([RUN_EVENTS.name(prefix)])
        message = consumer.poll(9)
    finally:
        consumer.close()
    error = None if message is None else message.error()
    assert error is not None
    assert error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED
    zombie = Producer({**told, "transactional.id": f"{prefix}processors-runs-0"})
    with pytest.raises(KafkaException) as refused:
        zombie.init_transactions(9)
    assert refused.value.args[0].code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED


@pytest.fixture(scope="module")
def own_topics(broker: SecureBroker) -> dict[str, dict[str, str]]:
    """{kind of process: its environment}, with topics of their own."""
    prefix = f"acl-{uuid.uuid4().hex[:8]}."
    users = admit(broker, prefix)
    code = (
        "from runledger.schemas.settings import ConnectionSettings as settings;"
        "from runledger.topic_admin import ensure_topics as make; make(settings())"
    )
    subprocess.run([sys.executable, "-c", code], env=os.environ | users["migration"], check=True, timeout=SECONDS)
    return users


WRITES = {
    "sink": (
        "INSERT INTO run_event SELECT * FROM run_event",
        "DELETE FROM run_event WHERE false",
        "UPDATE agent_run SET status = status",
        "SELECT make_run_event_day(current_date)",
        "CREATE TEMP TABLE t (a int)",
    ),
    "watch": ("INSERT INTO pipeline_span VALUES (now(), now())", "SELECT secret FROM webhook"),
    "keys": ("SELECT key_hash FROM api_key",),
    "access": (
        "SELECT * FROM api_key",
        "UPDATE api_key SET revoked_at = now()",
        "UPDATE project SET is_public = false",
    ),
    "read": ("SELECT * FROM agent_run", "SELECT * FROM run_event"),
}
REFUSED = {
    "sink": (
        "SELECT key_hash FROM api_key",
        "SELECT secret FROM webhook",
        "SELECT * FROM pipeline_span",
        "UPDATE project SET is_public = true",
        "UPDATE scoring_outbox SET payload = ''",
        "DELETE FROM consumer_offset",
        "DELETE FROM erased_run",
        "UPDATE run_event SET source = 'x'",
        "TRUNCATE run_event",
        "DROP TABLE run_event",
        "DROP TABLE run_event_default",
        "ALTER TABLE agent_run ADD COLUMN x int",
        "CREATE TABLE public.mine (a int)",
        "DROP FUNCTION make_run_event_day",
        "SET ROLE runledger_access",
    ),
    "watch": (
        "SELECT * FROM agent_run",
        "UPDATE webhook SET url = 'x'",
        "SELECT * FROM api_key",
        "UPDATE consumer_offset SET next_offset = 0",
        "SELECT make_run_event_day(current_date)",
        "DROP TABLE pipeline_span",
    ),
    "keys": (
        "SELECT label FROM api_key",
        "UPDATE api_key SET revoked_at = NULL",
        "INSERT INTO api_key DEFAULT VALUES",
        "SELECT * FROM agent_run",
        "SELECT * FROM webhook",
    ),
    "access": (
        "UPDATE api_key SET key_hash = ''",
        "DELETE FROM api_key",
        "SELECT * FROM agent_run",
        "UPDATE agent_run SET cost_usd = 0",
        "DROP TABLE api_key",
    ),
    "read": (
        "UPDATE agent_run SET cost_usd = 0",
        "INSERT INTO project (project_key) VALUES ('x')",
        "DELETE FROM run_event",
        "SELECT * FROM api_key",
        "SELECT * FROM webhook",
        "SELECT * FROM scoring_outbox",
        "SELECT make_run_event_day(current_date)",
        "TRUNCATE agent_run",
        "DROP TABLE agent_run",
    ),
}
"""{group, without runledger_: statements it must be refused}."""


@pytest.mark.parametrize("group", REFUSED)
def test_a_login_may_do_its_work_and_nothing_else(group: str, database: str) -> None:
    migrate(database)
    with psycopg.connect(database, autocommit=True) as connection:
        create_project(connection, "least")
    uri = login(database, "runledger_write" if group == "sink" else f"runledger_{group}")
    with psycopg.connect(uri, autocommit=True) as connection:
        for text in WRITES[group]:
            connection.execute(text.encode())
        for text in REFUSED[group]:
            with pytest.raises(InsufficientPrivilege):
                connection.execute(text.encode())


def test_the_owners_function_trusts_nothing_of_its_caller(database: str) -> None:
    """A table of the caller's own by the same name is not taken for the ledger's, and days are bounded."""
    migrate(database)
    with psycopg.connect(login(database, "runledger_write"), autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE run_event (log_day date) PARTITION BY RANGE (log_day)")
        connection.execute("SET search_path = pg_temp")
        assert connection.execute("SELECT public.make_run_event_day(current_date)").fetchone() == (True,)
        assert connection.execute("SELECT public.make_run_event_day(current_date)").fetchone() == (False,)
        for day in ("current_date + 3", "date '2019-12-31'", "NULL"):
            with pytest.raises(psycopg.Error):
                connection.execute(f"SELECT public.make_run_event_day({day})".encode())
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "SELECT inhparent::regclass::text, count(*) FROM pg_inherits "
            "WHERE inhparent = 'public.run_event'::regclass GROUP BY 1"
        ).fetchall()
    assert found == [("run_event", 2)]
