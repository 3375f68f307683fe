-- Sessions of sinks that wait for the text of a COPY that began longer ago than a lock is waited for, and how much of it came:
-- a sink has the text at hand before its COPY begins, so where nothing more comes, its process was stopped in it.
SELECT a.pid, a.query_start, p.bytes_processed
FROM pg_stat_activity AS a
JOIN pg_stat_progress_copy AS p USING (pid)
WHERE a.datname = current_database()
  AND a.usename = current_user
  AND a.application_name = 'runledger'
  AND a.state = 'active'
  AND a.wait_event = 'ClientRead'
  AND a.query_start < clock_timestamp() - make_interval(secs => %(seconds)s)
