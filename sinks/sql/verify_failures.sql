-- A prune deletes failures before their events: detached ones by their age, others with their run.
WITH told AS (
    SELECT
        e.project_key,
        e.run_id,
        e.event_id,
        bool_or((e.data ->> 'detached')::boolean AND e.logged_at < p.pruned_before) IS TRUE AS is_pruned
    FROM run_event AS e
    LEFT JOIN project AS p USING (project_key)
    WHERE e.type = 'runledger.failure.recorded.v1'
    GROUP BY e.project_key, e.run_id, e.event_id
),
counted AS (
    SELECT project_key, fingerprint, count(*) AS failures, min(occurred_at) AS first_seen_at, max(occurred_at) AS last_seen_at
    FROM run_failure
    GROUP BY project_key, fingerprint
)
SELECT
    CASE WHEN f.event_id IS NULL THEN 'failure_missing' ELSE 'failure_without_event' END AS kind,
    project_key,
    run_id::text AS subject,
    'event ' || event_id AS field,
    CASE WHEN f.event_id IS NULL THEN 'a row' ELSE 'no row' END AS expected,
    CASE WHEN f.event_id IS NULL THEN 'none' ELSE 'a row' END AS found
FROM told AS t
FULL JOIN run_failure AS f USING (project_key, run_id, event_id)
LEFT JOIN consumer_offset AS o ON o.topic LIKE '%run-events' AND o.partition = f.log_partition
WHERE (t.project_key IS NULL AND f.log_offset >= coalesce(o.first_offset, 0))
   OR (
       f.project_key IS NULL
       AND NOT t.is_pruned
       AND NOT EXISTS (SELECT FROM pruned_run AS p WHERE p.project_key = t.project_key AND p.run_id = t.run_id)
   )
UNION ALL
SELECT 'failure_group_differs', project_key, fingerprint, d.field, d.expected, d.found
FROM counted AS c
FULL JOIN failure_group AS g USING (project_key, fingerprint)
CROSS JOIN LATERAL (
    VALUES
        ('failure_count', coalesce(c.failures, 0)::text, coalesce(g.failure_count, 0)::text),
        ('first_seen_at', c.first_seen_at::text, g.first_seen_at::text),
        ('last_seen_at', c.last_seen_at::text, g.last_seen_at::text)
) AS d (field, expected, found)
WHERE d.expected IS DISTINCT FROM d.found
ORDER BY 1, 2, 3, 4
