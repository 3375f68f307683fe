-- What figures and agents' states count of these rows is noted beside them, so that they stay right without the rows.
WITH gone AS (
    DELETE FROM agent_run_log AS held
    USING jsonb_to_recordset(%(rows)s::jsonb) AS r (row_id uuid)
    WHERE held.id = r.row_id
    RETURNING held.project_key, held.run_id, held.agent_id, held.run_at, held.created_at, held.status,
        coalesce(held.ended_at, held.run_at) AS ended_at,
        (held.rlhf_scores ->> 'overall')::numeric AS score
),
run AS (
    INSERT INTO pruned_run (project_key, run_id, agent_id)
    SELECT project_key, run_id, agent_id
    FROM gone
    ON CONFLICT (project_key, run_id) DO NOTHING
),
of_agent AS (
    INSERT INTO pruned_agent AS held (project_key, agent_id, runs, last_ended_at, last_run_at)
    SELECT project_key, agent_id, count(*), max(ended_at), max(run_at)
    FROM gone
    GROUP BY project_key, agent_id
    ON CONFLICT (project_key, agent_id) DO UPDATE SET
        runs = held.runs + excluded.runs,
        last_ended_at = greatest(held.last_ended_at, excluded.last_ended_at),
        last_run_at = greatest(held.last_run_at, excluded.last_run_at)
),
of_quarter AS (
    INSERT INTO pruned_rollup AS held (project_key, quarter, runs, success, partial, failed, scored, score_sum)
    SELECT
        project_key,
        date_bin('15 minutes', created_at, '2000-01-01 00:00:00+00'),
        count(*),
        count(*) FILTER (WHERE status = 'success'),
        count(*) FILTER (WHERE status = 'partial'),
        count(*) FILTER (WHERE status = 'failed'),
        count(score),
        coalesce(sum(score), 0)
    FROM gone
    WHERE created_at IS NOT NULL
    GROUP BY 1, 2
    ON CONFLICT (project_key, quarter) DO UPDATE SET
        runs = held.runs + excluded.runs,
        success = held.success + excluded.success,
        partial = held.partial + excluded.partial,
        failed = held.failed + excluded.failed,
        scored = held.scored + excluded.scored,
        score_sum = held.score_sum + excluded.score_sum
)
SELECT count(*) FROM gone
