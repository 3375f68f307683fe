-- Whoever has a key of the project is refused from now on; its webhook is told nothing more.
WITH revoked AS (
    UPDATE api_key
    SET revoked_at = now()
    WHERE project_key = %(project_key)s AND (revoked_at IS NULL OR revoked_at > now())
),
silenced AS (
    DELETE FROM webhook
    WHERE project_key = %(project_key)s
)
UPDATE project
SET name = NULL, is_public = false
WHERE project_key = %(project_key)s
