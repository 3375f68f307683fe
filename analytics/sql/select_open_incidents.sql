-- Incidents that have not recovered, the oldest first.
-- %(project_key)s: text or NULL for every project, %(agent_id)s: text or NULL for every agent.
SELECT project_key, agent_id, incident_id, kind, threshold, run_id, opened_at
FROM incident
WHERE state = 'open'
  AND (%(project_key)s::text IS NULL OR project_key = %(project_key)s)
  AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
ORDER BY opened_at, incident_id
