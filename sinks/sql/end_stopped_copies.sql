-- Sessions of sinks that have sent nothing of a COPY for longer than a lock is waited for: their processes were stopped in it.
-- A sink has the text at hand before its COPY begins, so a live one never waits so long.
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE datname = current_database()
  AND usename = current_user
  AND application_name = 'runledger'
  AND state = 'active'
  AND wait_event = 'ClientRead'
  AND query_start < clock_timestamp() - make_interval(secs => %(seconds)s)
