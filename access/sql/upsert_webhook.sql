-- A new address keeps created_at: what could not be told at the old one is told at the new one.
INSERT INTO webhook AS held (project_key, url, secret)
VALUES (%(project_key)s, %(url)s, %(secret)s)
ON CONFLICT (project_key) DO UPDATE SET url = excluded.url, secret = excluded.secret
