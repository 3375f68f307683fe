-- Some trace entries of a run, whole where they are not large.
-- %(project_key)s: text, %(run_id)s: uuid, %(event_ids)s: text[] and %(numbers)s: integer[] of the same length: which.
SELECT DISTINCT ON (e.event_id, wanted.number)
       e.event_id,
       wanted.number,
       CASE WHEN octet_length(entry.trace::text) <= 32768 THEN entry.trace END AS trace,
       octet_length(entry.trace::text) AS trace_bytes
FROM unnest(%(event_ids)s::text[], %(numbers)s::integer[]) AS wanted (event_id, number)
JOIN run_event AS e ON e.event_id = wanted.event_id
CROSS JOIN LATERAL (SELECT e.data -> 'traces' -> (wanted.number - 1) AS trace) AS entry
WHERE e.project_key = %(project_key)s
  AND e.run_id = %(run_id)s
  AND entry.trace IS NOT NULL
ORDER BY e.event_id, wanted.number, e.log_offset, e.log_partition
