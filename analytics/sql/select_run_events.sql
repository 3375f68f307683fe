-- Deliveries of a run's events, as they stand in the log, repeats included.
-- What stands in braces is put in by analytics/run_story.py, from constants of its own: the direction.
-- %(project_key)s: text, %(run_id)s: uuid, %(limit)s: integer, %(most_bytes)s: integer, beyond which data is left out;
-- %(place_offset)s: bigint and %(place_partition)s: integer of the last row before, NULL for the start.
WITH page AS (
    SELECT *
    FROM run_event
    WHERE project_key = %(project_key)s
      AND run_id = %(run_id)s
      AND (%(place_offset)s::bigint IS NULL
           OR (log_offset, log_partition) {compared} (%(place_offset)s, %(place_partition)s::integer))
    ORDER BY log_offset {direction}, log_partition {direction}
    LIMIT %(limit)s
),
first AS (
    SELECT DISTINCT ON (event_id) event_id, log_offset, log_partition
    FROM run_event
    WHERE project_key = %(project_key)s
      AND run_id = %(run_id)s
      AND event_id IN (SELECT event_id FROM page)
    ORDER BY event_id, log_offset, log_partition
)
SELECT page.log_partition,
       page.log_offset,
       page.logged_at,
       page.event_id,
       page.type,
       page.agent_id,
       page.occurred_at,
       page.source,
       (page.log_offset, page.log_partition) <> (first.log_offset, first.log_partition) AS repeated,
       CASE WHEN octet_length(page.data::text) <= %(most_bytes)s::integer THEN page.data END AS data,
       octet_length(page.data::text) AS data_bytes
FROM page
JOIN first USING (event_id)
ORDER BY page.log_offset {direction}, page.log_partition {direction}
