-- Agents whose streaks these tables cannot tell: a run was erased or lived twice, or was revised after it had left the
-- window of its agent's last runs, so that what it had said before stays in the streaks of the runs behind it.
CREATE TEMP TABLE uncompared_agent ON COMMIT DROP AS
SELECT l.project_key, l.agent_id
FROM agent_run_log AS l
WHERE l.revision > 1
  AND (
      l.late
      -- run_at is the log time of the first word on a run, log_offset that of the last.
      OR 32 <= (
          SELECT count(*)
          FROM agent_run_log AS other
          WHERE other.project_key = l.project_key
            AND other.agent_id = l.agent_id
            AND other.run_at >= l.run_at
            AND other.log_offset < l.log_offset
      )
  )
UNION
SELECT l.project_key, l.agent_id
FROM agent_run AS r
JOIN agent_run_log AS l USING (project_key, run_id)
WHERE r.late_events
UNION
SELECT h.project_key, h.agent_id
FROM agent_health AS h
JOIN erased_run AS e USING (project_key)
