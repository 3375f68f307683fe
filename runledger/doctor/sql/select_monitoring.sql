-- Whether we may see what other users' sessions do.
SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS all_seen
