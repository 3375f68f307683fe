"""The SQL of docs/security.md, carried out as it stands there on a server that knows no role of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from runledger.access.projects import create_project
from runledger.sinks.migrate import migrate
from tests import documents
from tests.faults.servers import own_postgres
from tests.integration.security.test_least_privilege import REFUSED, WRITES

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PASSWORD = "choose one"  # noqa: S105  # the page's own words
LOGINS, ROLES, CLOSING = documents.examples("docs/security.md", "sql")
WORK = {
    "my_sink": ("sink",),
    "my_relay": ("sink",),
    "my_watch": ("watch",),
    "my_gateway": ("keys",),
    "my_api": ("keys", "read"),
    "my_operator": ("access",),
}
"""{login of the page: whose work it does, in the words of the tests of privileges}."""


def execute(uri: str, *statements: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def ledger() -> Iterator[str]:
    """URI of a superuser on the database `ledger`, which the page's owner migrated, and where its logins are made."""
    with own_postgres() as server:
        execute(server.address, "CREATE DATABASE ledger")
        uri = make_conninfo(server.address, dbname="ledger")
        owner = f"CREATE ROLE ledger_owner LOGIN PASSWORD '{PASSWORD}'"
        execute(
            uri, owner, "GRANT CREATE ON DATABASE ledger TO ledger_owner; GRANT CREATE ON SCHEMA public TO ledger_owner"
        )
        execute(uri, ROLES)
        migrate(of(uri, "ledger_owner"))
        execute(uri, f"CREATE ROLE my_relay LOGIN PASSWORD '{PASSWORD}'", LOGINS, CLOSING)
        with psycopg.connect(of(uri, "my_operator"), autocommit=True) as connection:
            create_project(connection, "least")
        yield uri


def of(uri: str, login: str) -> str:
    return make_conninfo(uri, user=login, password=PASSWORD)


def test_the_page_makes_the_logins_that_are_looked_at_here(ledger: str) -> None:
    assert set(re.findall(r"\bmy_\w+", LOGINS)) == set(WORK)


@pytest.mark.parametrize("name", WORK)
def test_a_login_made_as_documented_does_its_work_and_nothing_else(name: str, ledger: str) -> None:
    with psycopg.connect(of(ledger, name), autocommit=True) as connection:
        for work in WORK[name]:
            for statement in WRITES[work]:
                connection.execute(statement.encode())
        for statement in set.intersection(*(set(REFUSED[work]) for work in WORK[name])):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_nobody_else_comes_in(ledger: str) -> None:
    execute(ledger, f"CREATE ROLE stranger LOGIN PASSWORD '{PASSWORD}'")
    with pytest.raises(psycopg.OperationalError, match="CONNECT"):
        psycopg.connect(of(ledger, "stranger"))
