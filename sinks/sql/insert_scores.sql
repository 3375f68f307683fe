INSERT INTO run_score
SELECT r.*
FROM jsonb_populate_recordset(NULL::run_score, %(rows)s::jsonb) AS r
WHERE NOT EXISTS (SELECT FROM erased_run AS e WHERE e.project_key = r.project_key AND e.run_id = r.run_id)
  AND NOT EXISTS (SELECT FROM pruned_run AS p WHERE p.project_key = r.project_key AND p.run_id = r.run_id)
   OR EXISTS (SELECT FROM agent_run_log AS l WHERE l.id = r.row_id)
ORDER BY r.job_id
ON CONFLICT (job_id) DO NOTHING
