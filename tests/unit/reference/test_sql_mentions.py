from __future__ import annotations

import pytest

from reference.sql_mentions import relations_and_columns

JOINED = "SELECT r.run_id FROM agent_run AS r JOIN agent a ON a.agent_id = r.agent_id"
OWN = "WITH one AS (SELECT 1 FROM agent), two AS MATERIALIZED (SELECT 2 FROM one) SELECT * FROM two, one"
STATEMENTS = "INSERT INTO agent VALUES (1); UPDATE project SET name = ''; COMMENT ON TABLE run_event IS ''"


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT * FROM agent_run", ["agent_run"]),
        (JOINED, ["agent_run", "agent", "agent_run.run_id", "agent.agent_id", "agent_run.agent_id"]),
        (OWN, ["agent"]),
        ("SELECT extract(epoch FROM ended_at - started_at) FROM agent_run", ["agent_run"]),
        ("SELECT a IS DISTINCT FROM b FROM agent_run", ["agent_run"]),
        ("SELECT * FROM generate_series(1, 3) AS g", []),
        ("SELECT * FROM pg_stat_activity", []),
        (STATEMENTS, ["agent", "project", "run_event"]),
        ("REVOKE SELECT ON agent FROM somebody;", []),
        ("SELECT jsonb_path.thing FROM agent", ["agent"]),
    ],
)
def test_what_a_query_names(sql: str, found: list[str]) -> None:
    assert [name for _, name in relations_and_columns(sql)] == found
