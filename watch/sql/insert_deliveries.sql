-- What is to be told of incidents that were first told, or changed, since the webhook was set. An incident that has
-- recovered before it was seen here is told twice all the same: that it opened, then that it recovered.
INSERT INTO webhook_delivery (incident_id, state, project_key)
SELECT i.incident_id, told.state, i.project_key
FROM incident AS i
JOIN webhook AS w USING (project_key)
CROSS JOIN LATERAL (
    VALUES ('open', i.told_at), ('recovered', CASE WHEN i.state = 'recovered' THEN i.changed_at END)
) AS told (state, since)
WHERE i.changed_at >= %(since)s
  AND told.since >= w.created_at
ORDER BY i.incident_id, told.state
ON CONFLICT (incident_id, state) DO NOTHING
