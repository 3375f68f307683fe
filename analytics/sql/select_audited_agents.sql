-- Agents, what is set for them and when they were last heard; one probe of an index per agent, whatever the ledger's size.
-- %(project_key)s: text or NULL for every project, %(agent_id)s: text or NULL for every agent,
-- %(limit)s: integer.
SELECT a.project_key,
       a.agent_id,
       a.name,
       a.role,
       a.retired,
       a.created_at,
       coalesce(a.expected_interval_seconds, p.expected_interval_seconds) AS expected_interval_seconds,
       coalesce(a.silence_threshold, p.silence_threshold) AS silence_threshold,
       coalesce(a.failure_threshold, p.failure_threshold) AS failure_threshold,
       greatest(heard.heard_at, a.heard_at) AS heard_at,
       h.last_logged_at,
       h.last_status,
       coalesce(h.finished_runs, 0) AS finished_runs,
       coalesce(h.consecutive_silence_count, 0) AS consecutive_silence_count,
       coalesce(h.consecutive_failure_count, 0) AS consecutive_failure_count
FROM agent AS a
JOIN project AS p ON p.project_key = a.project_key
LEFT JOIN agent_health AS h ON h.project_key = a.project_key AND h.agent_id = a.agent_id
LEFT JOIN LATERAL (
    SELECT r.heard_at
    FROM agent_run AS r
    WHERE r.project_key = a.project_key AND r.agent_id = a.agent_id
    ORDER BY r.heard_at DESC
    LIMIT 1
) AS heard ON true
WHERE (%(project_key)s::text IS NULL OR a.project_key = %(project_key)s)
  AND (%(agent_id)s::text IS NULL OR a.agent_id = %(agent_id)s)
ORDER BY a.project_key, a.agent_id
LIMIT %(limit)s
