INSERT INTO project (project_key, name)
VALUES (%(project_key)s, %(name)s)
ON CONFLICT (project_key) DO NOTHING
