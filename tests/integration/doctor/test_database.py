"""Databases that are old, read-only, locked, full of sessions, or closed to those who have to come in."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from runledger.doctor.grants import roles, table_grants, tables
from runledger.sinks.migrate import migrate
from runledger.sinks.revisions import known_revisions
from tests.e2e.pipeline import wait_for
from tests.integration.doctor.setup import Setup

pytestmark = pytest.mark.integration


@pytest.fixture
def login(setup: Setup) -> Iterator[str]:
    """Name of a login of the test's own that may do nothing."""
    name = f"doctor_{uuid.uuid4().hex[:8]}"
    setup.sql(f"CREATE ROLE {name} LOGIN PASSWORD 'of-this-test'")
    yield name
    setup.sql(f"DROP OWNED BY {name}; DROP ROLE {name}")


def uri_of(setup: Setup, login: str) -> str:
    return make_conninfo(setup.connection.postgres, user=login, password="of-this-test")  # noqa: S106  # as above


def test_missing_tables_are_told_and_made(setup: Setup) -> None:
    setup.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    found = setup.mend("tables")
    assert "no tables" in found["found"]
    assert found["command"] == "runledger migrate"


def test_tables_of_an_earlier_version_are_told_and_brought_up(setup: Setup) -> None:
    setup.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    migrate(setup.connection.postgres, known_revisions()[1])
    report = setup.doctor()
    assert f"{len(known_revisions()) - 2} migrations missing" in report.of("tables")["found"]
    assert report.of("outbox")["verdict"] in {"ok", "unknown"}
    setup.mend("tables")


def test_tables_of_a_later_version_are_told(setup: Setup) -> None:
    setup.sql("UPDATE alembic_version SET version_num = '9999'")
    found = setup.doctor().of("tables")
    assert found["verdict"] == "problem"
    assert "9999" in found["found"]
    assert "as new as" in found["remedy"]


def test_a_table_that_is_gone_is_told(setup: Setup) -> None:
    setup.sql("DROP TABLE run_score")
    found = setup.doctor().of("tables")
    assert found["verdict"] == "problem"
    assert "run_score" in found["found"]
    assert "backup" in found["remedy"]


def test_a_database_that_is_read_only_is_told_and_opened(setup: Setup) -> None:
    (name,) = setup.sql("SELECT current_database()")[0]
    setup.sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    found = setup.doctor().of("writing")
    assert found["verdict"] == "problem"
    assert "default_transaction_read_only" in found["found"]
    with psycopg.connect(setup.connection.postgres, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        for part in found["command"].split(";")[:-1]:
            connection.execute(part.encode())
    assert "read_only" not in setup.doctor().of("writing")["found"]


def test_an_encoding_that_refuses_texts_is_told(setup: Setup) -> None:
    name = f"test_{uuid.uuid4().hex[:8]}"
    setup.sql(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        setup.environment["RUNLEDGER_POSTGRES"] = make_conninfo(setup.connection.postgres, dbname=name)
        found = setup.doctor().of("writing")
    finally:
        setup.sql(f"DROP DATABASE {name} WITH (FORCE)")
    assert found["verdict"] == "problem"
    assert "LATIN1" in found["found"]
    assert "UTF8" in found["remedy"]


def test_few_connections_left_are_told(setup: Setup) -> None:
    (name,) = setup.sql("SELECT current_database()")[0]
    setup.sql(f'ALTER DATABASE "{name}" CONNECTION LIMIT 5')
    found = setup.doctor().of("connections")
    assert found["verdict"] == "warning"
    assert "of 5" in found["found"]
    assert "limit" in found["remedy"]


def test_a_login_without_connections_is_told(setup: Setup, login: str) -> None:
    setup.sql(f"ALTER ROLE {login} CONNECTION LIMIT 0")
    setup.environment["RUNLEDGER_POSTGRES"] = uri_of(setup, login)
    found = setup.doctor().of("database")
    assert found["verdict"] == "problem"
    assert "every connection is taken" in found["found"]


def test_a_session_whose_locks_others_wait_for_is_told_and_ended(setup: Setup) -> None:
    ended = threading.Event()

    def wait_for_lock() -> None:
        with psycopg.connect(setup.connection.postgres, autocommit=True) as waiting:
            waiting.execute("UPDATE project SET name = 'waited'")
        ended.set()

    holder = psycopg.connect(setup.connection.postgres, application_name="left-open")
    holder.execute("UPDATE project SET name = 'held'")
    waiter = threading.Thread(target=wait_for_lock)
    waiter.start()
    wait_for("it to be seen", lambda: setup.doctor(patience=0.5).of("sessions")["verdict"] == "problem", 30)
    found = setup.mend("sessions", patience=0.5)
    assert "left-open" in found["found"]
    assert found["command"] == f"SELECT pg_terminate_backend({holder.info.backend_pid});"
    assert ended.wait(30)
    waiter.join()
    holder.close()


def test_rights_taken_from_a_role_are_told_and_granted(setup: Setup) -> None:
    setup.sql("REVOKE SELECT ON agent_run FROM runledger_read")
    found = setup.mend("roles")
    assert found["found"] == "runledger_read lacks SELECT on agent_run"
    assert found["command"] == "GRANT SELECT ON agent_run TO runledger_read;"


def test_temporary_tables_refused_to_the_sink_are_told_and_allowed(setup: Setup) -> None:
    (name,) = setup.sql("SELECT current_database()")[0]
    setup.sql(f'REVOKE TEMPORARY ON DATABASE "{name}" FROM PUBLIC')
    assert "TEMPORARY" in setup.mend("roles")["found"]


def test_a_reader_who_may_not_read_is_told_and_let_in(setup: Setup, login: str) -> None:
    setup.environment["RUNLEDGER_POSTGRES_READ"] = uri_of(setup, login)
    report = setup.doctor()
    assert "of-this-test" not in report.text
    assert setup.mend("reading")["command"] == f'GRANT runledger_read TO "{login}";'


def test_a_reading_address_that_is_wrong_is_told(setup: Setup) -> None:
    setup.environment["RUNLEDGER_POSTGRES_READ"] = "postgresql://postgres@127.0.0.1:1/x"
    found = setup.doctor().of("reading")
    assert found["verdict"] == "problem"
    assert "RUNLEDGER_POSTGRES_READ" in found["remedy"]


def test_what_our_login_may_not_see_is_unknown_and_the_right_is_named(setup: Setup, login: str) -> None:
    setup.environment["RUNLEDGER_POSTGRES"] = uri_of(setup, login)
    report = setup.doctor()
    assert report.of("sessions")["command"] == "GRANT pg_read_all_stats TO CURRENT_USER;"
    for check, role in (
        ("outbox", "runledger_write"),
        ("watermark", "runledger_read"),
        ("projects", "runledger_access"),
    ):
        found = report.of(check)
        assert found["verdict"] == "unknown", found
        assert role in found["remedy"]
    assert report.of("reading")["verdict"] == "problem"


def test_the_migrations_grants_are_all_understood(setup: Setup) -> None:
    """Read from their text; the database says the same."""
    for grant in table_grants():
        statement = f"SELECT has_table_privilege('{grant.role}', '{grant.table}', '{grant.verb}')"
        assert setup.sql(statement) == [(True,)], grant
    there = {row[0] for row in setup.sql("SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'runledger\\_%'")}
    assert set(roles()) <= there
    granted = setup.sql(
        "SELECT DISTINCT table_name::text FROM information_schema.role_table_grants "
        "WHERE grantee LIKE 'runledger\\_%' AND table_schema = current_schema()"
    )
    assert {row[0] for row in granted} == set(tables())
