-- After an erasure: the failures of a kind on a task, as they are now.
WITH gone AS (
    SELECT DISTINCT r.project_key, r.fingerprint, r.task_id
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, fingerprint text, task_id text)
),
emptied AS (
    DELETE FROM failure_task AS held
    USING gone
    WHERE held.project_key = gone.project_key
      AND held.fingerprint = gone.fingerprint
      AND held.task_id = gone.task_id
      AND NOT EXISTS (
          SELECT
          FROM run_failure AS f
          WHERE f.project_key = gone.project_key AND f.fingerprint = gone.fingerprint AND f.task_id = gone.task_id
      )
)
UPDATE failure_task AS held
SET first_failed_at = told.first_failed_at, last_failed_at = told.last_failed_at
FROM gone
CROSS JOIN LATERAL (
    SELECT min(f.occurred_at) AS first_failed_at, max(f.occurred_at) AS last_failed_at
    FROM run_failure AS f
    WHERE f.project_key = gone.project_key AND f.fingerprint = gone.fingerprint AND f.task_id = gone.task_id
) AS told
WHERE told.first_failed_at IS NOT NULL
  AND held.project_key = gone.project_key
  AND held.fingerprint = gone.fingerprint
  AND held.task_id = gone.task_id
