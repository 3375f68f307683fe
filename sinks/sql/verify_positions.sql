-- Events stand below the position of their partition, and in the partition of their own day.
SELECT
    'event_beyond_position' AS kind,
    '' AS project_key,
    'partition ' || e.log_partition AS subject,
    'log_offset' AS field,
    'below ' || coalesce(max(o.next_offset)::text, 'no position') AS expected,
    max(e.log_offset)::text AS found
FROM run_event AS e
LEFT JOIN consumer_offset AS o ON o.topic LIKE '%run-events' AND o.partition = e.log_partition
GROUP BY e.log_partition
HAVING coalesce(max(o.next_offset), 0) <= max(e.log_offset)
UNION ALL
SELECT 'event_in_default_partition', project_key, run_id::text, 'run_event_default', 'no row', 'a row'
FROM run_event_default
ORDER BY 1, 2, 3, 4
