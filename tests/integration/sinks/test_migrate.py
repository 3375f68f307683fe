"""The tables, as they stand in a real database."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files

import psycopg
import pytest

from runledger.sinks.errors import MigrationError
from runledger.sinks.migrate import migrate

pytestmark = pytest.mark.integration

_SEED_DDL = """
CREATE TABLE agent_run_log (
id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
agent_id VARCHAR(255) NOT NULL,
run_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
action_summary TEXT,
actions_taken JSONB DEFAULT '{}',
status VARCHAR(32) NOT NULL DEFAULT 'success',
consecutive_silence_count INT NOT NULL DEFAULT 0,
rlhf_scores JSONB DEFAULT NULL,
created_at TIMESTAMPTZ DEFAULT NOW()
);
CREATE INDEX idx_agent_run_log_agent_id ON agent_run_log(agent_id);
CREATE INDEX idx_agent_run_log_created_at ON agent_run_log(created_at DESC);
CREATE INDEX idx_agent_run_log_status ON agent_run_log(status);
CREATE INDEX idx_agent_run_log_agent_created ON agent_run_log(agent_id, created_at DESC);
"""

_COLUMNS = b"""
SELECT column_name, data_type, character_maximum_length, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = %s AND table_name = 'agent_run_log' ORDER BY ordinal_position
"""
_INDEXES = b"""
SELECT indexname, replace(indexdef, schemaname || '.', '') FROM pg_indexes
WHERE schemaname = %s AND tablename = 'agent_run_log' ORDER BY 1
"""
_PRIMARY_KEY = b"""
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = (%s || '.agent_run_log')::regclass AND contype = 'p'
"""


def test_agent_run_log_is_as_its_document_says(database: str) -> None:
    migrate(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA seed")
        connection.execute("SET search_path TO seed, public")
        connection.execute(_SEED_DDL.encode())
        of_seed, ours = (connection.execute(_COLUMNS, [name]).fetchall() for name in ("seed", "public"))
        assert len(of_seed) == 9
        assert ours[: len(of_seed)] == of_seed
        of_seed, ours = (connection.execute(_INDEXES, [name]).fetchall() for name in ("seed", "public"))
        assert len(of_seed) == 5
        assert set(of_seed) <= set(ours)
        of_seed, ours = (connection.execute(_PRIMARY_KEY, [name]).fetchall() for name in ("seed", "public"))
        assert of_seed == ours


def test_every_column_says_what_it_is(database: str) -> None:
    migrate(database)
    with psycopg.connect(database) as connection:
        silent = connection.execute(
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition"
            " AND a.attnum > 0 AND col_description(c.oid, a.attnum) IS NULL AND c.relname <> 'alembic_version'"
        ).fetchall()
    assert silent == []


def test_migrate_twice_changes_nothing(database: str) -> None:
    migrate(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("INSERT INTO project (project_key) VALUES ('kept')")
        before = connection.execute(b"SELECT * FROM project ORDER BY project_key").fetchall()
        migrate(database)
        assert connection.execute(b"SELECT * FROM project ORDER BY project_key").fetchall() == before
        assert "kept" in {row[0] for row in before}


def test_two_processes_may_migrate_at_once(database: str) -> None:
    code = f"from runledger.sinks.migrate import migrate; migrate({database!r})"
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    with psycopg.connect(database) as connection:
        newest = max(file.name[:4] for file in files("runledger.sinks.migrations").iterdir() if file.name[:4].isdigit())
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest,)]
        assert connection.execute("SELECT count(*) FROM agent_run").fetchone() == (0,)


def test_a_database_of_a_newer_version_is_left_alone(database: str) -> None:
    migrate(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(MigrationError, match="9999"):
            migrate(database)
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
