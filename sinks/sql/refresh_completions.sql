-- Which tasks some runs completed, by the runs and failures as they stand now. Returns what changed: when the run of a
-- task ends now, and when it did before; NULL for not at all.
WITH r AS (
    SELECT DISTINCT project_key, run_id
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, run_id uuid)
),
wanted AS (
    SELECT run.project_key, tasks.task_id, run.run_id, run.ended_at
    FROM r
    JOIN agent_run AS run ON run.project_key = r.project_key AND run.run_id = r.run_id
    CROSS JOIN LATERAL (
        SELECT run.task_id WHERE run.task_id IS NOT NULL
        UNION
        SELECT f.task_id
        FROM run_failure AS f
        WHERE f.project_key = r.project_key AND f.run_id = r.run_id AND f.task_id IS NOT NULL AND NOT f.detached
    ) AS tasks
    WHERE run.status = 'completed' AND run.ended_at IS NOT NULL
),
held AS (
    SELECT c.*
    FROM r
    JOIN task_completion AS c ON c.project_key = r.project_key AND c.run_id = r.run_id
),
changed AS (
    SELECT project_key, task_id, run_id, w.ended_at, h.ended_at AS was_at
    FROM wanted AS w
    FULL JOIN held AS h USING (project_key, task_id, run_id)
    WHERE w.ended_at IS DISTINCT FROM h.ended_at
),
withdrawn AS (
    DELETE FROM task_completion AS c
    USING changed
    WHERE changed.ended_at IS NULL
      AND c.project_key = changed.project_key AND c.task_id = changed.task_id AND c.run_id = changed.run_id
),
written AS (
    INSERT INTO task_completion AS c (project_key, task_id, run_id, ended_at)
    SELECT project_key, task_id, run_id, ended_at
    FROM changed
    WHERE ended_at IS NOT NULL
    ORDER BY project_key, task_id, run_id
    ON CONFLICT (project_key, task_id, run_id) DO UPDATE SET ended_at = excluded.ended_at
)
SELECT project_key, task_id, run_id::text, ended_at, was_at FROM changed
