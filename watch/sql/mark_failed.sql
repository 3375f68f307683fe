-- Only the latest attempt says when the next one is due.
UPDATE webhook_delivery
SET last_error = %(error)s,
    next_attempt_at = now() + coalesce(%(pause)s, interval '0'),
    given_up_at = CASE WHEN %(pause)s::interval IS NULL THEN now() END
WHERE (incident_id, state) = (%(incident_id)s, %(state)s)
  AND attempts = %(attempts)s
  AND delivered_at IS NULL
  AND given_up_at IS NULL
