-- Deliveries of a run's events, as they stand in the log, repeats included.
-- %(project_key)s: text, %(run_id)s: uuid, %(limit)s: integer; %(place_offset)s: bigint and %(place_partition)s: integer of
-- the last row before, NULL for the start.
SELECT log_partition,
       log_offset,
       logged_at,
       event_id,
       type,
       agent_id,
       occurred_at,
       source,
       CASE WHEN octet_length(data::text) <= 32768 THEN data END AS data,
       octet_length(data::text) AS data_bytes
FROM run_event
WHERE project_key = %(project_key)s
  AND run_id = %(run_id)s
  AND (%(place_offset)s::bigint IS NULL OR (log_offset, log_partition) > (%(place_offset)s, %(place_partition)s::integer))
ORDER BY log_offset, log_partition
LIMIT %(limit)s
