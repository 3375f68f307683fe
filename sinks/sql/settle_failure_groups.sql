-- The resolution in force of each group: the latest, by a run or by somebody's word; of the same moment the word.
WITH touched AS (
    SELECT DISTINCT project_key, fingerprint
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, fingerprint text)
),
chosen AS (
    SELECT touched.project_key, touched.fingerprint, latest.*
    FROM touched
    LEFT JOIN LATERAL (
        (
            SELECT t.resolved_at, t.resolved_by_run_id AS run_id, NULL::text AS event_id
            FROM failure_task AS t
            WHERE t.project_key = touched.project_key
              AND t.fingerprint = touched.fingerprint
              AND t.resolved_at IS NOT NULL
            ORDER BY t.resolved_at DESC, t.resolved_by_run_id DESC
            LIMIT 1
        )
        UNION ALL
        (
            SELECT r.resolved_at, NULL, r.event_id
            FROM failure_resolution AS r
            WHERE r.project_key = touched.project_key AND r.fingerprint = touched.fingerprint
            ORDER BY r.resolved_at DESC, r.event_id DESC, r.run_id DESC
            LIMIT 1
        )
        ORDER BY resolved_at DESC, event_id NULLS LAST
        LIMIT 1
    ) AS latest ON true
)
UPDATE failure_group AS held
SET resolved_at = chosen.resolved_at,
    resolved_by_run_id = chosen.run_id,
    resolved_by_event_id = chosen.event_id
FROM chosen
WHERE held.project_key = chosen.project_key
  AND held.fingerprint = chosen.fingerprint
  AND (held.resolved_at, held.resolved_by_run_id, held.resolved_by_event_id)
      IS DISTINCT FROM (chosen.resolved_at, chosen.run_id, chosen.event_id)
