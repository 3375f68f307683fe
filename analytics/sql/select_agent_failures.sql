-- Kinds of failures that some runs met, the latest first, and whether each is resolved by now. A bound on the work: of one
-- run at most 1,000 failures are looked at.
-- %(project_key)s: text, %(run_ids)s: uuid[], %(limit)s: integer.
WITH kind AS (
    SELECT f.fingerprint, count(DISTINCT f.run_id) AS runs, max(f.occurred_at) AS last_seen_at
    FROM unnest(%(run_ids)s::uuid[]) AS n (run_id)
    CROSS JOIN LATERAL (
        SELECT run_id, fingerprint, occurred_at
        FROM run_failure
        WHERE project_key = %(project_key)s AND run_id = n.run_id
        LIMIT 1000
    ) AS f
    GROUP BY f.fingerprint
    ORDER BY max(f.occurred_at) DESC, f.fingerprint
    LIMIT %(limit)s
)
SELECT k.fingerprint, g.state, g.summary, k.runs, k.last_seen_at
FROM kind AS k
JOIN failure_group AS g ON g.project_key = %(project_key)s AND g.fingerprint = k.fingerprint
ORDER BY k.last_seen_at DESC, k.fingerprint
