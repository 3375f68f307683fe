INSERT INTO agent_health AS held
SELECT r.*
FROM jsonb_populate_recordset(NULL::agent_health, %(rows)s::jsonb) AS r
ORDER BY r.project_key, r.agent_id
ON CONFLICT (project_key, agent_id) DO UPDATE SET
    version = excluded.version,
    last_logged_at = excluded.last_logged_at,
    last_ended_at = excluded.last_ended_at,
    last_status = excluded.last_status,
    finished_runs = excluded.finished_runs,
    consecutive_silence_count = excluded.consecutive_silence_count,
    consecutive_failure_count = excluded.consecutive_failure_count
WHERE excluded.version > held.version
