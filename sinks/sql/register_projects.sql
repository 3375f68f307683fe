INSERT INTO project (project_key)
SELECT DISTINCT r.project_key
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text)
ORDER BY r.project_key
ON CONFLICT (project_key) DO NOTHING
