-- Whether this is a standby, and how far it is behind.
SELECT
    pg_is_in_recovery() AS replica,
    EXTRACT(EPOCH FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float AS behind_seconds,
    pg_has_role(
        current_user,
        'runledger_read',
        CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET' END
    ) AS may_read,
    current_user::text AS "user"
