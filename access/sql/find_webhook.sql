SELECT project_key, url, secret, created_at
FROM webhook
WHERE project_key = %(project_key)s
