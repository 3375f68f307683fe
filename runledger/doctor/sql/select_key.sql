-- A key, living or not.
SELECT key_hash, project_key, revoked_at FROM api_key WHERE key_id = %(key_id)s
