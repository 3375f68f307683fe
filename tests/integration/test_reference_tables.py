"""docs/reference/tables.md is what the database's own catalogue says, and every column has its words there."""

from __future__ import annotations

import psycopg
import pytest

from reference.pages import TABLES
from reference.tables import read_columns, tables_page
from runledger.sinks.migrate import migrate

pytestmark = pytest.mark.integration


def test_the_page_is_what_the_tables_are(database: str) -> None:
    migrate(database)
    with psycopg.connect(database) as connection:
        columns = read_columns(connection)
    silent = [f"{it.relation}.{it.column_name}" for it in columns if not it.about or not it.meaning]
    assert silent == []
    stale = "as the database of the tests: RUNLEDGER_POSTGRES=... runledger migrate, then python -m reference tables"
    assert TABLES.read_text(encoding="utf-8") == tables_page(columns), stale


def test_a_column_that_is_new_stands_on_the_page(database: str) -> None:
    migrate(database)
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE agent ADD COLUMN mood text NOT NULL DEFAULT 'calm'")
        connection.execute("COMMENT ON COLUMN agent.mood IS 'How it feels.'")
        page = tables_page(read_columns(connection))
    assert "| `mood` | text | no | `'calm'::text` | How it feels. |" in page


def test_days_of_the_audit_log_are_no_tables_of_their_own(database: str) -> None:
    migrate(database)
    with psycopg.connect(database) as connection:
        connection.execute("SELECT make_run_event_day(current_date)")
        relations = {column.relation for column in read_columns(connection)}
    assert "run_event" in relations
    assert not any(name.startswith("run_event_") or name == "alembic_version" for name in relations)
