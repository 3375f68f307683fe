-- Each word once: of repeated deliveries the first holds.
INSERT INTO failure_resolution
SELECT r.*
FROM jsonb_populate_recordset(NULL::failure_resolution, %(rows)s::jsonb) AS r
ORDER BY r.project_key, r.run_id, r.event_id
ON CONFLICT (project_key, run_id, event_id) DO NOTHING
