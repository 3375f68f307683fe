-- Sessions of this database whose transaction lasts, or for whose locks others wait; the longest first.
WITH session AS (
    SELECT
        pid,
        usename,
        application_name,
        state,
        EXTRACT(EPOCH FROM clock_timestamp() - xact_start) AS seconds,
        CASE
            WHEN wait_event_type = 'Lock'
                AND clock_timestamp() - query_start > make_interval(secs => %(patience)s)
            THEN pg_blocking_pids(pid)
            ELSE '{}'
        END AS waits_for
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
),
blocking AS (
    SELECT pid, count(*) AS blocked FROM (SELECT unnest(waits_for) AS pid FROM session) AS pids GROUP BY pid
)
SELECT
    s.pid,
    coalesce(s.usename, '')::text AS "user",
    coalesce(s.application_name, '') AS program,
    coalesce(s.seconds, 0)::float AS seconds,
    coalesce(s.state, '') AS state,
    coalesce(b.blocked, 0)::integer AS blocked
FROM session AS s
LEFT JOIN blocking AS b USING (pid)
WHERE (b.blocked > 0 AND s.waits_for = '{}') OR s.seconds > %(long)s
ORDER BY blocked DESC, seconds DESC
LIMIT 20
