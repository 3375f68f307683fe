-- After an erasure: groups count what is left, and none keeps a word of what is gone. One row per failure that is gone.
WITH gone AS (
    SELECT r.project_key, r.fingerprint, count(*) AS failures
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, fingerprint text)
    GROUP BY r.project_key, r.fingerprint
),
emptied AS (
    DELETE FROM failure_group AS held
    USING gone
    WHERE held.project_key = gone.project_key
      AND held.fingerprint = gone.fingerprint
      AND NOT EXISTS (
          SELECT FROM run_failure AS f WHERE f.project_key = gone.project_key AND f.fingerprint = gone.fingerprint
      )
)
UPDATE failure_group AS held
SET summary = first_one.summary,
    first_seen_at = first_one.occurred_at,
    last_seen_at = last_one.occurred_at,
    failure_count = held.failure_count - gone.failures
FROM gone
CROSS JOIN LATERAL (
    SELECT f.summary, f.occurred_at
    FROM run_failure AS f
    WHERE f.project_key = gone.project_key AND f.fingerprint = gone.fingerprint
    ORDER BY f.occurred_at, f.log_partition, f.log_offset
    LIMIT 1
) AS first_one
CROSS JOIN LATERAL (
    SELECT f.occurred_at
    FROM run_failure AS f
    WHERE f.project_key = gone.project_key AND f.fingerprint = gone.fingerprint
    ORDER BY f.occurred_at DESC
    LIMIT 1
) AS last_one
WHERE held.project_key = gone.project_key AND held.fingerprint = gone.fingerprint
