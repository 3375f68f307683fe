-- The order's own time counts: its tombstone is written later, and the run may have been heard of again in between.
INSERT INTO erased_run AS held (project_key, run_id, erased_at)
SELECT r.project_key, r.run_id, max(r.erased_at)
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, run_id uuid, erased_at timestamptz, snapshot boolean)
WHERE NOT r.snapshot
GROUP BY r.project_key, r.run_id
ORDER BY r.project_key, r.run_id
ON CONFLICT (project_key, run_id) DO UPDATE SET erased_at = greatest(held.erased_at, excluded.erased_at)
