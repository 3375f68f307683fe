"""Migration 0003: what it makes of a ledger that was written before it, and who may run it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from runledger.schemas.scoring import DEFAULT_RUBRIC
from runledger.sinks.batch import Batch, fold
from runledger.sinks.copying import copy_text
from runledger.sinks.errors import MigrationError
from runledger.sinks.loading import load
from runledger.sinks.migrate import migrate
from runledger.sinks.rows import (
    EVENT_COLUMNS,
    JOB_COLUMNS,
    LOG_COLUMNS,
    PLAIN_EVENT_COLUMNS,
    Row,
    log_row,
    score_row,
)
from runledger.sinks.statements import statement
from runledger.sinks.verify import verify
from tests.integration.sinks.old_tables import load_runs
from tests.integration.sinks.servers import own_postgres
from tests.integration.sinks.story import random_story
from tests.unit.sinks.build import NOON, PROJECT, score

pytestmark = pytest.mark.integration

_BEFORE = "0002"
_PASSWORD = "only-for-tests"  # noqa: S105  # of a server that lives for some seconds


# --- rows written before ----------------------------------------------------------------------------------------------


def _as_json(rows: list[Row]) -> dict[str, str]:
    return {"rows": orjson.dumps(rows, default=str).decode()}


def _insert(connection: psycopg.Connection[Any], table: str, rows: list[Row]) -> None:
    text = f"INSERT INTO {table} SELECT r.* FROM jsonb_populate_recordset(NULL::{table}, %(rows)s::jsonb) AS r"  # noqa: S608  # a table's name
    connection.execute(text.encode(), _as_json(rows))


def _write_as_before(connection: psycopg.Connection[Any], batch: Batch) -> None:
    """Write a batch into the tables as they were, by statements that have not changed since, or by hand."""
    load(connection, "run_event", EVENT_COLUMNS, copy_text(batch.events, PLAIN_EVENT_COLUMNS))
    load_runs(connection, batch)
    _insert(connection, "agent_health", list(batch.health.values()))
    connection.execute(statement("insert_failures"), _as_json(list(batch.failures.values())))
    load(connection, "scoring_outbox", JOB_COLUMNS, copy_text(list(batch.jobs.values())))
    defaults = {"rlhf_scores": None}
    logs = [
        dict(zip(LOG_COLUMNS, log_row(log), strict=True))
        | defaults
        | {"created_at": NOON + timedelta(minutes=11 * number)}
        for number, log in enumerate(batch.logs.values())
    ]
    logs[0]["created_at"] = None  # as the document's table allows
    _insert(connection, "agent_run_log", logs)
    connection.execute(statement("revise_streaks"), _as_json(list(batch.streaks.values())))
    places = [{"topic": "x.run-events", "partition": 0, "next_offset": 1000, "topic_id": "i", "partition_count": 1}]
    connection.execute(statement("open_positions"), {"positions": orjson.dumps(places).decode()})


def _score_as_before(connection: psycopg.Connection[Any]) -> int:
    """Score every third logged run, by scores whose sum as floats would be off."""
    logged = connection.execute("SELECT id, run_id, agent_id FROM agent_run_log ORDER BY id").fetchall()[::3]
    for number, (row_id, run_id, agent_id) in enumerate(logged):
        given = score(number, overall=0.1)
        row = score_row(replace(given, row_id=row_id, run_id=run_id, agent_id=agent_id))
        _insert(connection, "run_score", [row])
        shown = {name: row[name] for name in ("overall", "dimensions", "rubric", "scorer", "scored_at")}
        connection.execute(
            "UPDATE agent_run_log SET rlhf_scores = %s::jsonb WHERE id = %s", [orjson.dumps(shown).decode(), row_id]
        )
    return len(logged)


def test_a_ledger_written_before_is_filled_in_rightly(database: str) -> None:
    migrate(database, _BEFORE)
    batch = fold(random_story(3, 400, 150, 2).records, DEFAULT_RUBRIC)
    with psycopg.connect(database, autocommit=True) as connection:
        _write_as_before(connection, batch)
        scored = _score_as_before(connection)
        migrate(database)
        connection.execute("SET TIME ZONE 'UTC'")
        differences = verify(connection).differences
        assert [one for one in differences if one.kind != "event_in_default_partition"] == []
        timed_out = "SELECT count(*) FROM agent_run WHERE timed_out AND heard_at < last_logged_at"
        assert connection.execute(timed_out).fetchone() != (0,)  # so that the recount above was not idle
        figures = "SELECT sum(runs)::int, sum(scored)::int, sum(score_sum) FROM run_rollup"
        of_null = connection.execute("SELECT count(rlhf_scores) FROM agent_run_log WHERE created_at IS NULL").fetchone()
        left_out = of_null[0] if of_null else 0
        counted = scored - left_out
        assert connection.execute(figures).fetchone() == (len(batch.logs) - 1, counted, Decimal("0.1") * counted)


def test_figures_are_kept_by_the_quarter_of_created_at(database: str) -> None:
    migrate(database, _BEFORE)
    at = datetime(2026, 3, 1, 18, 14, 59, 999_999, tzinfo=UTC)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET TIME ZONE 'Asia/Kathmandu'")
        for created_at, partition in ((at, 2), (at + timedelta(microseconds=1), 2), (at, None)):
            connection.execute(
                "INSERT INTO agent_run_log (agent_id, project_key, run_id, created_at, log_partition, status)"
                " VALUES ('sage', %s, gen_random_uuid(), %s, %s, 'partial')",
                [PROJECT, created_at, partition],
            )
        migrate(database)
        found = connection.execute("SELECT quarter, shard, runs, success, partial FROM run_rollup ORDER BY 1, 2")
        early, late = (datetime(2026, 3, 1, 18, minute, tzinfo=UTC) for minute in (0, 15))
        assert found.fetchall() == [(early, 0, 1, 0, 1), (early, 2, 1, 0, 1), (late, 2, 1, 0, 1)]


# --- who may run it ---------------------------------------------------------------------------------------------------


_GROUPS = "runledger_access, runledger_keys, runledger_watch, runledger_write"
_CREATE_GROUPS = "".join(f"CREATE ROLE {name} NOLOGIN; " for name in _GROUPS.split(", "))


class _Server:
    """A server whose roles are the tests' own."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.databases: list[str] = []

    def run(self, *statements: str) -> None:
        with psycopg.connect(self.uri, autocommit=True) as connection:
            for text in statements:
                connection.execute(text.encode())

    def database(self, owner: str | None = None) -> str:
        """Make a database; return the URI by which its owner connects."""
        name = f"ledger_{len(self.databases)}"
        self.databases.append(name)
        self.run(f"CREATE DATABASE {name}" + (f" OWNER {owner}" if owner else ""))
        parts = conninfo_to_dict(self.uri) | {"dbname": name}
        if owner:
            parts |= {"user": owner, "password": _PASSWORD}
        return make_conninfo("", **parts)

    def clean(self) -> None:
        """Drop the databases, and the role that their migrations made."""
        self.run(*(f"DROP DATABASE {name} WITH (FORCE)" for name in self.databases))
        self.run(f"DROP ROLE IF EXISTS runledger_read, {_GROUPS}", 'DROP ROLE IF EXISTS maker, plain, "odd name"')
        self.databases.clear()


@pytest.fixture(scope="module")
def own_server() -> Iterator[_Server]:
    with own_postgres() as uri:
        yield _Server(uri)


@pytest.fixture
def server(own_server: _Server) -> Iterator[_Server]:
    yield own_server
    own_server.clean()


def _login(name: str, attributes: str = "") -> str:
    return f"CREATE ROLE {name} LOGIN PASSWORD '{_PASSWORD}' {attributes}"


def _has_tables(uri: str) -> bool:
    with psycopg.connect(uri) as connection:
        return connection.execute("SELECT to_regclass('agent_run') IS NOT NULL").fetchone() == (True,)


def _reads(uri: str) -> None:
    """See that who migrated may become the reading role, and that this one reads what it should and nothing more."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("SET ROLE runledger_read")
        for table in ("agent_run", "run_event", "run_rollup", "agent", "project", "webhook_delivery", "pipeline_span"):
            connection.execute(f"TABLE {table} LIMIT 1".encode())
        refused: list[Callable[[], object]] = [
            lambda: connection.execute("SELECT count(*) FROM api_key"),
            lambda: connection.execute("SELECT secret FROM webhook"),
            lambda: connection.execute("SELECT payload FROM scoring_outbox"),
            lambda: connection.execute("INSERT INTO project (project_key) VALUES ('x')"),
            lambda: connection.execute("UPDATE agent SET retired = true"),
            lambda: connection.execute("CREATE TABLE mine (a int)"),
        ]
        for attempt in refused:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                attempt()


@pytest.mark.parametrize("owner", [None, "maker"])
def test_who_may_create_roles_migrates_and_reads(server: _Server, owner: str | None) -> None:
    if owner:
        server.run(_login(owner, "CREATEROLE"))
    uri = server.database(owner)
    migrate(uri)
    _reads(uri)


def test_who_may_not_create_roles_is_told_what_to_ask_for(server: _Server) -> None:
    server.run(_login('"odd name"'))
    uri = server.database('"odd name"').replace("user='\"odd name\"'", "user='odd name'")
    ask = 'CREATE ROLE runledger_read NOLOGIN; GRANT runledger_read TO "odd name"'
    with pytest.raises(MigrationError, match=f"the role runledger_read is missing.*{ask}; then migrate again"):
        migrate(uri)
    assert not _has_tables(uri)
    server.run(ask)
    with pytest.raises(MigrationError, match=f"roles are missing.*{_CREATE_GROUPS}then migrate again"):
        migrate(uri)
    assert not _has_tables(uri)
    server.run(_CREATE_GROUPS)
    migrate(uri)
    _reads(uri)


def test_who_is_no_member_of_the_role_is_told_what_to_ask_for(server: _Server) -> None:
    server.run("CREATE ROLE runledger_read NOLOGIN", _CREATE_GROUPS, _login("plain"))
    uri = server.database("plain")
    ask = "GRANT runledger_read TO plain"
    with pytest.raises(MigrationError, match=f"plain is no member of the role runledger_read.*{ask}; then migrate"):
        migrate(uri)
    assert not _has_tables(uri)
    server.run(ask)
    migrate(uri)
    _reads(uri)


def test_another_owner_on_the_same_server_asks_for_membership(server: _Server) -> None:
    """Who may create roles does not administer those that others made."""
    migrate(server.database())
    server.run(_login("maker", "CREATEROLE"))
    uri = server.database("maker")
    with pytest.raises(MigrationError, match="maker is no member of the role"):
        migrate(uri)
    server.run("GRANT runledger_read TO maker")
    migrate(uri)
    _reads(uri)


@pytest.mark.parametrize("owner", [None, "maker"])
def test_several_databases_of_a_server_migrate_at_once(server: _Server, owner: str | None) -> None:
    if owner:
        server.run(_login(owner, "CREATEROLE"))
    uris = [server.database(owner) for _ in range(4)]
    code = "import sys; from runledger.sinks.migrate import migrate; sys.stdin.read(1); migrate(sys.argv[1])"
    command = [sys.executable, "-c", code]
    processes = [subprocess.Popen([*command, uri], stdin=subprocess.PIPE, stderr=subprocess.PIPE) for uri in uris]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], said
    for uri in uris:
        _reads(uri)
