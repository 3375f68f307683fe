DELETE FROM agent_health AS held
USING jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, agent_id text)
WHERE held.project_key = r.project_key AND held.agent_id = r.agent_id
