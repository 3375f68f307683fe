INSERT INTO incident AS held (
    incident_id, project_key, agent_id, kind, state, threshold, run_id, opened_at, version, recovered_at, recovered_run_id
)
SELECT
    r.incident_id, r.project_key, r.agent_id, r.kind, r.state, r.threshold, r.run_id, r.opened_at, r.version,
    r.recovered_at, r.recovered_run_id
FROM jsonb_populate_recordset(NULL::incident, %(rows)s::jsonb) AS r
ORDER BY r.incident_id
ON CONFLICT (incident_id) DO UPDATE SET
    state = excluded.state,
    version = excluded.version,
    recovered_at = excluded.recovered_at,
    recovered_run_id = excluded.recovered_run_id,
    changed_at = now()
WHERE excluded.version > held.version
