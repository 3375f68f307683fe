-- A run's row in the agent run log.
-- %(project_key)s: text, %(run_id)s: uuid.
SELECT id, run_at, created_at, status, action_summary, revision, inferred, late, rlhf_scores
FROM agent_run_log
WHERE project_key = %(project_key)s AND run_id = %(run_id)s
