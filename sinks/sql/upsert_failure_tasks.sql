-- The tasks of failures, as these stand in their table: a repeat may tell another task, and does not count.
INSERT INTO failure_task AS held (project_key, fingerprint, task_id, first_failed_at, last_failed_at)
SELECT f.project_key, f.fingerprint, f.task_id, min(f.occurred_at), max(f.occurred_at)
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, run_id uuid, event_id text)
JOIN run_failure AS f ON f.project_key = r.project_key AND f.run_id = r.run_id AND f.event_id = r.event_id
WHERE f.task_id IS NOT NULL
GROUP BY f.project_key, f.fingerprint, f.task_id
ORDER BY f.project_key, f.fingerprint, f.task_id
ON CONFLICT (project_key, fingerprint, task_id) DO UPDATE SET
    first_failed_at = least(held.first_failed_at, excluded.first_failed_at),
    last_failed_at = greatest(held.last_failed_at, excluded.last_failed_at)
WHERE held.first_failed_at > excluded.first_failed_at OR held.last_failed_at < excluded.last_failed_at
RETURNING project_key, fingerprint, task_id
