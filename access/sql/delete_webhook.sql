WITH given_up AS (
    UPDATE webhook_delivery
    SET given_up_at = now(), last_error = 'the webhook was removed'
    WHERE project_key = %(project_key)s
      AND delivered_at IS NULL
      AND given_up_at IS NULL
)
DELETE FROM webhook
WHERE project_key = %(project_key)s
