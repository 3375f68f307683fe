INSERT INTO agent_run
SELECT r.*
FROM incoming_run AS r
WHERE NOT EXISTS (SELECT FROM pruned_run AS p WHERE p.project_key = r.project_key AND p.run_id = r.run_id)
ORDER BY r.project_key, r.run_id
ON CONFLICT (project_key, run_id) DO NOTHING
