INSERT INTO agent (project_key, agent_id)
SELECT r.project_key, r.agent_id
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, agent_id text)
WHERE r.agent_id IS NOT NULL
ORDER BY r.project_key, r.agent_id
ON CONFLICT (project_key, agent_id) DO NOTHING
