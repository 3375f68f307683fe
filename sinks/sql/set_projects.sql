-- Of a project its name stays: that is given where the project is made.
UPDATE project AS held
SET expected_interval_seconds = r.expected_interval_seconds,
    deadline_seconds = r.deadline_seconds,
    silence_threshold = r.silence_threshold,
    failure_threshold = r.failure_threshold,
    settings_offset = r.settings_offset
FROM jsonb_populate_recordset(NULL::agent, %(rows)s::jsonb) AS r
WHERE r.agent_id IS NULL
  AND held.project_key = r.project_key
  AND coalesce(held.settings_offset, -1) < r.settings_offset
