DELETE FROM run_failure AS held
USING jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, run_id uuid, event_id text)
WHERE held.project_key = r.project_key AND held.run_id = r.run_id AND held.event_id = r.event_id
RETURNING held.project_key, held.fingerprint, held.task_id
