-- What an operator said last holds, wholly: a setting left out is taken back.
UPDATE agent AS held
SET name = r.name,
    role = r.role,
    expected_interval_seconds = r.expected_interval_seconds,
    deadline_seconds = r.deadline_seconds,
    silence_threshold = r.silence_threshold,
    failure_threshold = r.failure_threshold,
    retired = r.retired,
    settings_offset = r.settings_offset
FROM jsonb_populate_recordset(NULL::agent, %(rows)s::jsonb) AS r
WHERE held.project_key = r.project_key
  AND held.agent_id = r.agent_id
  AND coalesce(held.settings_offset, -1) < r.settings_offset
