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
UNION
-- What was revised since the first pruned run was: others that came between may be gone.
SELECT l.project_key, l.agent_id
FROM agent_run_log AS l
JOIN pruned_agent AS p USING (project_key, agent_id)
WHERE l.revision > 1 AND l.run_at <= p.last_run_at
UNION
-- What came of a pruned run afterwards makes no row, but may count in its agent's state, or in that of nobody's runs.
SELECT p.project_key, told.agent_id
FROM pruned_run AS p
CROSS JOIN LATERAL (VALUES (p.agent_id), ('unknown')) AS told (agent_id)
WHERE p.late_events
UNION
SELECT r.project_key, 'unknown'
FROM agent_run AS r
WHERE r.late_events
UNION
SELECT l.project_key, l.agent_id
FROM unrecounted_run
JOIN agent_run_log AS l USING (project_key, run_id)
