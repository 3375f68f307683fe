SELECT project_key
FROM project
WHERE %(project_key)s::text IS NULL OR project_key = %(project_key)s
ORDER BY project_key
