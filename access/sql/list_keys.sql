SELECT p.project_key, k.key_id, k.label, k.scopes, k.created_at, k.revoked_at
FROM project AS p
LEFT JOIN api_key AS k USING (project_key)
ORDER BY p.project_key, k.revoked_at NULLS FIRST, k.created_at
