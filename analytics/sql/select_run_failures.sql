-- The newest failures of one run of a project.
-- %(project_key)s: text, %(run_id)s: uuid.
SELECT event_id, agent_id, task_id, fingerprint, summary, error, occurred_at
FROM run_failure
WHERE project_key = %(project_key)s AND run_id = %(run_id)s AND NOT detached
ORDER BY occurred_at DESC, event_id DESC
LIMIT 10
