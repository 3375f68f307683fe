UPDATE webhook_delivery
SET delivered_at = now(),
    last_error = NULL
WHERE (incident_id, state) = (%(incident_id)s, %(state)s)
  AND delivered_at IS NULL
