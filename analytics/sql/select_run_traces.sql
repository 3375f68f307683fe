-- Trace entries of a run in the order of its own story, each once however often its event was delivered.
-- %(project_key)s: text, %(run_id)s: uuid, %(limit)s: integer; %(place_at)s: timestamptz, %(place_offset)s: bigint,
-- %(place_partition)s: integer and %(place_number)s: integer of the last row before, NULL for the start.
WITH told AS (
    SELECT DISTINCT ON (event_id) event_id, log_day, log_partition, log_offset, occurred_at
    FROM run_event
    WHERE project_key = %(project_key)s
      AND run_id = %(run_id)s
      AND type IN ('runledger.usage.reported.v1', 'runledger.run.ended.v1')
    ORDER BY event_id, log_offset, log_partition
)
SELECT e.event_id,
       e.agent_id,
       e.occurred_at,
       e.log_partition,
       e.log_offset,
       entry.number::integer AS number,
       CASE WHEN octet_length(entry.trace::text) <= 32768 THEN entry.trace END AS trace,
       octet_length(entry.trace::text) AS trace_bytes
FROM told AS t
JOIN run_event AS e USING (log_partition, log_offset, log_day)
-- The planner may move other conditions about, so that this must not fail on what is no array.
CROSS JOIN LATERAL jsonb_array_elements(
    CASE WHEN jsonb_typeof(e.data -> 'traces') = 'array' THEN e.data -> 'traces' ELSE '[]'::jsonb END
) WITH ORDINALITY AS entry (trace, number)
WHERE e.project_key = %(project_key)s
  AND e.run_id = %(run_id)s
  AND (%(place_at)s::timestamptz IS NULL
       OR (t.occurred_at, t.log_offset, t.log_partition, entry.number)
           > (%(place_at)s, %(place_offset)s::bigint, %(place_partition)s::integer, %(place_number)s::bigint))
ORDER BY t.occurred_at, t.log_offset, t.log_partition, entry.number
LIMIT %(limit)s
