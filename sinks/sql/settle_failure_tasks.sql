-- By which run a kind of failure is resolved on a task: the first that completed the task after the last failure, else
-- the last that did before it.
-- %(tasks)s: those whose failures changed; %(completions)s: what refresh_completions returned. Only rows that these can
-- change are looked at: a task that goes on completing costs nothing.
WITH changed AS (
    SELECT *
    FROM jsonb_to_recordset(%(completions)s::jsonb)
        AS c (project_key text, task_id text, run_id uuid, ended_at timestamptz, was_at timestamptz)
),
touched AS (
    SELECT project_key, fingerprint, task_id
    FROM jsonb_to_recordset(%(tasks)s::jsonb) AS t (project_key text, fingerprint text, task_id text)
    UNION
    SELECT t.project_key, t.fingerprint, t.task_id
    FROM changed AS c
    JOIN failure_task AS t ON t.project_key = c.project_key AND t.task_id = c.task_id
    WHERE (t.resolved_at IS NULL OR t.resolved_at <= t.last_failed_at)
      AND (
          t.resolved_by_run_id = c.run_id
          OR (c.ended_at > t.first_failed_at AND c.ended_at >= coalesce(t.resolved_at, c.ended_at))
      )
    UNION
    SELECT t.project_key, t.fingerprint, t.task_id
    FROM changed AS c
    JOIN failure_task AS t ON t.project_key = c.project_key AND t.task_id = c.task_id
    WHERE t.resolved_at > t.last_failed_at AND t.resolved_at >= least(c.ended_at, c.was_at)
),
chosen AS (
    SELECT t.project_key, t.fingerprint, t.task_id, run.ended_at, run.run_id
    FROM touched
    JOIN failure_task AS t
        ON t.project_key = touched.project_key AND t.fingerprint = touched.fingerprint AND t.task_id = touched.task_id
    LEFT JOIN LATERAL (
        (
            SELECT true AS after, c.ended_at, c.run_id
            FROM task_completion AS c
            WHERE c.project_key = t.project_key AND c.task_id = t.task_id AND c.ended_at > t.last_failed_at
            ORDER BY c.ended_at, c.run_id
            LIMIT 1
        )
        UNION ALL
        (
            SELECT false, c.ended_at, c.run_id
            FROM task_completion AS c
            WHERE c.project_key = t.project_key AND c.task_id = t.task_id AND c.ended_at > t.first_failed_at
            ORDER BY c.ended_at DESC, c.run_id DESC
            LIMIT 1
        )
        ORDER BY after DESC
        LIMIT 1
    ) AS run ON true
)
UPDATE failure_task AS held
SET resolved_at = chosen.ended_at, resolved_by_run_id = chosen.run_id
FROM chosen
WHERE held.project_key = chosen.project_key
  AND held.fingerprint = chosen.fingerprint
  AND held.task_id = chosen.task_id
  AND (held.resolved_at, held.resolved_by_run_id) IS DISTINCT FROM (chosen.ended_at, chosen.run_id)
RETURNING held.project_key, held.fingerprint
