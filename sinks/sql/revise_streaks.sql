UPDATE agent_run_log AS held
SET consecutive_silence_count = r.consecutive_silence_count,
    consecutive_failure_count = r.consecutive_failure_count
FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS r (id uuid, consecutive_silence_count integer, consecutive_failure_count integer)
WHERE held.id = r.id
