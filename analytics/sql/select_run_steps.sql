-- Trace entries of a run as far as a waterfall needs them, each once, in the order of the agents' own times. Whatever an
-- entry holds there is taken as text, and cut: anybody may have written it.
-- %(project_key)s: text, %(run_id)s: uuid, %(limit)s: integer.
WITH told AS (
    SELECT DISTINCT ON (event_id) event_id, log_day, log_partition, log_offset, occurred_at
    FROM run_event
    WHERE project_key = %(project_key)s
      AND run_id = %(run_id)s
      AND type IN ('runledger.usage.reported.v1', 'runledger.run.ended.v1')
    ORDER BY event_id, log_offset, log_partition
)
SELECT e.event_id,
       entry.number::integer AS number,
       e.occurred_at,
       left(entry.trace ->> 'span_id', 128) AS span_id,
       left(entry.trace ->> 'parent_span_id', 128) AS parent_span_id,
       left(entry.trace ->> 'name', 200) AS name,
       left(entry.trace ->> 'kind', 40) AS kind,
       left(entry.trace ->> 'tool', 200) AS tool,
       left(entry.trace ->> 'model', 200) AS model,
       left(entry.trace ->> 'status', 40) AS status,
       left(entry.trace ->> 'started_at', 40) AS started_at,
       left(entry.trace ->> 'ended_at', 40) AS ended_at,
       left(entry.trace ->> 'duration_ms', 40) AS duration_ms
FROM told AS t
JOIN run_event AS e USING (log_partition, log_offset, log_day)
-- The planner may move other conditions about, so that this must not fail on what is no array.
CROSS JOIN LATERAL jsonb_array_elements(
    CASE WHEN jsonb_typeof(e.data -> 'traces') = 'array' THEN e.data -> 'traces' ELSE '[]'::jsonb END
) WITH ORDINALITY AS entry (trace, number)
WHERE e.project_key = %(project_key)s
  AND e.run_id = %(run_id)s
ORDER BY t.occurred_at, t.log_offset, t.log_partition, entry.number
LIMIT %(limit)s
