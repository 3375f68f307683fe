-- Words that a failure is resolved: of repeated deliveries the first holds. A prune deletes a word before its event.
WITH told AS (
    SELECT DISTINCT ON (project_key, run_id, event_id)
        project_key,
        run_id,
        event_id,
        data ->> 'fingerprint' AS fingerprint,
        agent_id,
        data ->> 'by' AS resolved_by,
        data ->> 'note' AS note,
        least(occurred_at, logged_at) AS resolved_at,
        logged_at
    FROM run_event
    WHERE type = 'runledger.failure.resolved.v1'
    ORDER BY project_key, run_id, event_id, log_offset
)
SELECT
    CASE
        WHEN r.event_id IS NULL THEN 'resolution_missing'
        WHEN t.event_id IS NULL THEN 'resolution_without_event'
        ELSE 'resolution_differs'
    END AS kind,
    project_key,
    run_id::text AS subject,
    CASE WHEN t.event_id IS NULL OR r.event_id IS NULL THEN 'event ' || event_id ELSE d.field END AS field,
    CASE WHEN t.event_id IS NULL THEN 'no row' WHEN r.event_id IS NULL THEN 'a row' ELSE d.expected END AS expected,
    CASE WHEN t.event_id IS NULL THEN 'a row' WHEN r.event_id IS NULL THEN 'none' ELSE d.found END AS found
FROM told AS t
FULL JOIN failure_resolution AS r USING (project_key, run_id, event_id)
LEFT JOIN project AS p USING (project_key)
LEFT JOIN consumer_offset AS o ON o.topic LIKE '%run-events' AND o.partition = r.log_partition
CROSS JOIN LATERAL (
    VALUES
        ('fingerprint', t.fingerprint, r.fingerprint),
        ('agent_id', t.agent_id, r.agent_id),
        ('resolved_by', t.resolved_by, r.resolved_by),
        ('note', t.note, r.note),
        ('resolved_at', t.resolved_at::text, r.resolved_at::text)
) AS d (field, expected, found)
WHERE d.expected IS DISTINCT FROM d.found
  AND (t.event_id IS NOT NULL AND r.event_id IS NOT NULL OR d.field = 'fingerprint')
  AND NOT (t.event_id IS NULL AND r.log_offset < coalesce(o.first_offset, 0))
  AND NOT (r.event_id IS NULL AND coalesce(t.logged_at < p.pruned_before, false))
ORDER BY 1, 2, 3, 4
