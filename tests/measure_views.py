"""What the views for analysts cost: `python -m tests.measure_views URI [RUNS]`, where the server runs.

It makes a database of its own on the server of the URI, fills it with runs of sixty days, one of a hundred in a small
project, asks each view three times without parallel workers, prints the least CPU time of the server's process, and
drops it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import psutil
import psycopg

from runledger.sinks.migrate import migrate
from tests.servers import own_database

RUNS = 200_000
_MADE = """
INSERT INTO project (project_key) VALUES ('big'), ('small');
INSERT INTO agent (project_key, agent_id)
SELECT key, 'agent-' || n FROM unnest(ARRAY['big', 'small']) AS key, generate_series(0, 19) AS n;
INSERT INTO agent_run (project_key, run_id, row_id, log_partition, born_offset, version, last_logged_at, heard_at, kind,
    status, agent_id, task_id, started_at, ended_at, outcome, input_tokens, output_tokens, total_tokens, cost_usd,
    cost_source, reported, reported_cost_source, final_cost_source, usage_mismatch, models, events, failures, traces,
    inferred, timed_out, end_conflict, clock_clamped, outcome_revision, actions_taken)
SELECT CASE WHEN n %% 101 = 0 THEN 'small' ELSE 'big' END, id, id, n %% 4, n, n + 1, at, at, 'lifecycle',
    'completed', 'agent-' || n %% 20, 'task-' || n %% 2000, at - interval '3 minutes', at,
    (ARRAY['success', 'success', 'success', 'partial', 'failed'])[1 + n %% 5], 5000 + n %% 999, 800, 5800 + n %% 999,
    CASE WHEN n %% 7 > 0 THEN 0.02 END, CASE WHEN n %% 7 > 0 THEN 'reported' ELSE 'unknown' END,
    '{"input_tokens": 5000, "output_tokens": 800, "llm_calls": 5}', 'reported', 'unknown', false,
    ARRAY['model-' || n %% 3], 6, 0, 3, false, false, false, false, 1,
    '{"summary": "Deployed the rate limiter to staging", "files": 3}'
FROM (
    SELECT n, lpad(to_hex(n), 32, '0')::uuid AS id,
        timestamptz '2026-01-01 00:00Z' + n * interval '60 days' / %(runs)s AS at
    FROM generate_series(1, %(runs)s) AS n
) AS made;
INSERT INTO agent_run_log (id, agent_id, run_at, actions_taken, status, rlhf_scores, created_at, project_key, run_id,
    kind, run_status, silent, ended_at, log_partition)
SELECT row_id, agent_id, ended_at, actions_taken, outcome,
    '{"overall": 0.8, "dimensions": {"outcome": 1, "output": 0.75, "errors": 1, "efficiency": 0.5}}', ended_at,
    project_key, run_id, kind, status, false, ended_at, log_partition
FROM agent_run;
INSERT INTO run_failure
SELECT project_key, run_id, run_id::text, agent_id, task_id, 'kind-' || log_partition, 'no database', 'timeout', '{}',
    '{}', false, ended_at - interval '1 minute', ended_at, log_partition, born_offset
FROM agent_run
WHERE outcome = 'failed';
INSERT INTO task_completion SELECT project_key, task_id, run_id, ended_at FROM agent_run WHERE outcome <> 'failed';
INSERT INTO failure_group (project_key, fingerprint, summary, first_seen_at, last_seen_at, failure_count)
SELECT project_key, fingerprint, 'no database', min(occurred_at), max(occurred_at), count(*)
FROM run_failure
GROUP BY 1, 2
"""
_ASKED = {
    "costs": "SELECT * FROM run_costs_daily WHERE project_key = 'big'",
    "costs, the last seven days": "SELECT * FROM run_costs_daily WHERE project_key = 'big' AND day >= '2026-02-23'",
    "costs, the small project": "SELECT * FROM run_costs_daily WHERE project_key = 'small'",
    "agents": "SELECT * FROM agent_reliability WHERE project_key = 'big'",
    "agents, one": "SELECT * FROM agent_reliability WHERE project_key = 'big' AND agent_id = 'agent-3'",
    "failures": "SELECT * FROM failure_recurrence WHERE project_key = 'big'",
    "scores": "SELECT * FROM score_trend WHERE project_key = 'big'",
    "scores, one agent": "SELECT * FROM score_trend WHERE project_key = 'big' AND agent_id = 'agent-3'",
}
_REPEATS = 3


def measure(postgres: str, runs: int) -> Iterator[str]:
    """Fill, ask, and say what it took."""
    with own_database(postgres) as uri, psycopg.connect(uri, autocommit=True) as connection:
        migrate(uri)
        for statement in _MADE.split(";\n"):
            connection.execute(statement.encode(), {"runs": runs})
        connection.execute("VACUUM ANALYZE")
        connection.execute("SET max_parallel_workers_per_gather = 0")
        yield f"{runs:,} runs"
        server = psutil.Process(connection.info.backend_pid)
        for name, question in _ASKED.items():
            seconds, rows = min(_asked(connection, server, question) for _ in range(_REPEATS))
            yield f"{name}: {seconds:.2f} s, {rows:,} rows"


def _asked(connection: psycopg.Connection, server: psutil.Process, question: str) -> tuple[float, int]:
    """Return the server's CPU seconds, and how many rows there were."""
    before = server.cpu_times()
    rows = len(connection.execute(question.encode()).fetchall())
    after = server.cpu_times()
    return after.user + after.system - before.user - before.system, rows


if __name__ == "__main__":
    for line in measure(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else RUNS):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
