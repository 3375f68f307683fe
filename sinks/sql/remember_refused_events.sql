INSERT INTO refused_event
SELECT r.*
FROM jsonb_populate_recordset(NULL::refused_event, %(rows)s::jsonb) AS r
ORDER BY r.log_partition, r.log_offset
ON CONFLICT DO NOTHING
