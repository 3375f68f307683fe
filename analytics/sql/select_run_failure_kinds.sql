-- The kinds of failures that a run met, the latest first, and what became of each in the project.
-- %(project_key)s: text, %(run_id)s: uuid.
SELECT met.fingerprint,
       met.failures AS failures_in_run,
       g.state,
       g.failure_count,
       g.first_seen_at,
       g.last_seen_at,
       g.resolved_at
FROM (
    SELECT fingerprint, count(*) AS failures, max(occurred_at) AS last_at
    FROM run_failure
    WHERE project_key = %(project_key)s AND run_id = %(run_id)s AND NOT detached
    GROUP BY fingerprint
    ORDER BY last_at DESC, fingerprint
    LIMIT 20
) AS met
JOIN failure_group AS g ON g.project_key = %(project_key)s AND g.fingerprint = met.fingerprint
ORDER BY met.last_at DESC, met.fingerprint
