-- The tightest of the limits on connections: the server's, the database's and our role's.
SELECT taken, most, "limit"
FROM (
    SELECT
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::integer AS taken,
        current_setting('max_connections')::integer
            - current_setting('superuser_reserved_connections')::integer AS most,
        'max_connections' AS "limit"
    UNION ALL
    SELECT
        (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())::integer,
        datconnlimit,
        'the connection limit of the database'
    FROM pg_database
    WHERE datname = current_database() AND datconnlimit >= 0
    UNION ALL
    SELECT
        (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user)::integer,
        rolconnlimit,
        'the connection limit of the role ' || current_user
    FROM pg_roles
    WHERE rolname = current_user AND rolconnlimit >= 0
) AS limits
ORDER BY most - taken
LIMIT 1
