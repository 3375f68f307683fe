-- With what was told of them.
WITH gone AS (
    DELETE FROM incident AS held
    USING jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, agent_id text)
    WHERE held.project_key = r.project_key AND held.agent_id = r.agent_id
    RETURNING held.incident_id
)
DELETE FROM webhook_delivery AS held
USING gone
WHERE held.incident_id = gone.incident_id
