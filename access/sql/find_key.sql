-- The hash, project and scopes of a living key.
SELECT key_hash, project_key, scopes
FROM api_key
WHERE key_id = %(key_id)s
  AND (revoked_at IS NULL OR revoked_at > now())
