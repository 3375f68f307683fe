-- The server and who we are; what it may forget of what it has committed.
SELECT
    current_setting('server_version_num')::integer AS version,
    current_user::text AS "user",
    current_database()::text AS name,
    pg_is_in_recovery() AS in_recovery,
    current_setting('default_transaction_read_only')::boolean AS read_only,
    pg_encoding_to_char(d.encoding)::text AS encoding,
    array(
        SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name
    ) AS unsafe,
    clock_timestamp() AS told_at
FROM pg_database AS d
WHERE d.datname = current_database()
