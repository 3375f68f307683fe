-- One page of a project's incidents, the newest first.
-- %(project_key)s: text, %(limit)s: integer. Each NULL for any: %(agent_id)s: text, %(kind)s: text, %(state)s: text,
-- %(since)s and %(until)s: timestamptz. %(place_at)s: timestamptz and %(place_id)s: uuid of the last row before, NULL for
-- the start.
SELECT incident_id, agent_id, kind, state, threshold, run_id, opened_at, recovered_at, recovered_run_id
FROM incident
WHERE project_key = %(project_key)s
  AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
  AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(since)s::timestamptz IS NULL OR opened_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR opened_at < %(until)s)
  AND (%(place_at)s::timestamptz IS NULL OR (opened_at, incident_id) < (%(place_at)s, %(place_id)s::uuid))
ORDER BY opened_at DESC, incident_id DESC
LIMIT %(limit)s
