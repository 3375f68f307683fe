-- Events of one day, in the order of the log; returns how many went, and the last of them.
WITH gone AS (
    DELETE FROM run_event AS held
    USING (
        SELECT log_partition, log_offset
        FROM prunable_event
        WHERE log_day = %(day)s
          AND logged_at < %(before)s
          AND (%(project_key)s::text IS NULL OR project_key = %(project_key)s)
          AND (log_partition, log_offset) > (%(after_partition)s, %(after_offset)s)
        ORDER BY log_partition, log_offset
        LIMIT %(limit)s
    ) AS old
    WHERE held.log_day = %(day)s AND held.log_partition = old.log_partition AND held.log_offset = old.log_offset
    RETURNING held.log_partition, held.log_offset
)
SELECT count(*) OVER (), log_partition, log_offset FROM gone ORDER BY log_partition DESC, log_offset DESC LIMIT 1
