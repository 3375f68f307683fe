DELETE FROM failure_resolution AS held
USING jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, run_id uuid, before_offset bigint)
WHERE held.project_key = r.project_key AND held.run_id = r.run_id AND held.log_offset < r.before_offset
RETURNING held.project_key, held.fingerprint
