INSERT INTO incident AS held
SELECT r.*
FROM jsonb_populate_recordset(NULL::incident, %(rows)s::jsonb) AS r
ORDER BY r.incident_id
ON CONFLICT (incident_id) DO UPDATE SET
    state = excluded.state,
    version = excluded.version,
    recovered_at = excluded.recovered_at,
    recovered_run_id = excluded.recovered_run_id
WHERE excluded.version > held.version
