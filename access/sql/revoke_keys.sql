-- End the project's living keys after the grace period, and say which they were. Keys that an earlier rotation left a
-- longer grace end no later than these.
WITH shortened AS (
    UPDATE api_key
    SET revoked_at = now() + %(grace)s
    WHERE project_key = %(project_key)s
      AND revoked_at > now() + %(grace)s
)
UPDATE api_key
SET revoked_at = now() + %(grace)s
WHERE project_key = %(project_key)s
  AND revoked_at IS NULL
RETURNING project_key, key_id, label, scopes, created_at, revoked_at
