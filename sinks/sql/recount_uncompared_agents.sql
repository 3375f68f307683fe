-- Agents whose streaks these tables cannot tell: a run was erased or lived twice, or was revised after it had left the
-- window of its agent's last runs.
CREATE TEMP TABLE uncompared_agent ON COMMIT DROP AS
SELECT project_key, agent_id
FROM agent_run_log
WHERE late AND revision > 1
UNION
SELECT l.project_key, l.agent_id
FROM agent_run AS r
JOIN agent_run_log AS l USING (project_key, run_id)
WHERE r.late_events
UNION
SELECT h.project_key, h.agent_id
FROM agent_health AS h
JOIN erased_run AS e USING (project_key)
