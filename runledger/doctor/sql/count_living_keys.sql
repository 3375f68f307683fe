-- Keys of a project that work.
SELECT count(*)::integer FROM api_key
WHERE project_key = %(project_key)s AND (revoked_at IS NULL OR revoked_at > now())
