-- The snapshot's tombstone ends the row of agent_run; a run that was heard of again afterwards comes behind it in the log.
DELETE FROM agent_run AS held
USING jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, run_id uuid, snapshot boolean)
WHERE held.project_key = r.project_key AND held.run_id = r.run_id AND r.snapshot
