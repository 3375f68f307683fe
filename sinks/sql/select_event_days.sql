-- Days of run_event that begin before a time.
SELECT day
FROM (
    SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day
    FROM pg_inherits AS i
    JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'run_event'::regclass AND c.relname ~ '^run_event_\d{8}$'
) AS held
WHERE day < %(before)s::timestamptz
ORDER BY day
