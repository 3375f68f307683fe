-- Take what is due, a few of each project, and set it due again later: if nobody accounts for the attempt, it is made
-- again then. A recovery waits until it has been told that the incident opened, or that was given up.
WITH due AS (
    SELECT d.incident_id, d.state, w.url, w.secret
    FROM webhook AS w
    CROSS JOIN LATERAL (
        SELECT d.incident_id, d.state
        FROM webhook_delivery AS d
        WHERE d.project_key = w.project_key
          AND d.created_at >= w.created_at
          AND d.delivered_at IS NULL
          AND d.given_up_at IS NULL
          AND d.next_attempt_at <= now()
          AND NOT (
              d.state = 'recovered'
              AND EXISTS (
                  SELECT
                  FROM webhook_delivery AS o
                  WHERE o.incident_id = d.incident_id
                    AND o.state = 'open'
                    AND o.delivered_at IS NULL
                    AND o.given_up_at IS NULL
              )
          )
        ORDER BY d.next_attempt_at, d.created_at
        LIMIT greatest(0, %(each)s - coalesce((%(busy)s::jsonb ->> w.project_key)::integer, 0))
        FOR UPDATE OF d SKIP LOCKED
    ) AS d
    LIMIT %(most)s
)
UPDATE webhook_delivery AS d
SET attempts = d.attempts + 1,
    next_attempt_at = now() + %(lease)s
FROM due
JOIN incident AS i USING (incident_id)
WHERE (d.incident_id, d.state) = (due.incident_id, due.state)
RETURNING
    d.incident_id, d.state, d.project_key, d.attempts, i.agent_id, i.kind, i.threshold, i.run_id, i.opened_at,
    i.recovered_at, i.recovered_run_id, due.url, due.secret
