DELETE FROM pruned_run AS held
USING jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, run_id uuid)
WHERE held.project_key = r.project_key AND held.run_id = r.run_id
