-- The newest finished runs of a project, as its agents reported them.
-- %(project_key)s: text, %(agent_id)s: text or NULL for any, %(since)s: timestamptz or NULL for any time,
-- %(limit)s: integer.
SELECT id,
       run_id,
       agent_id,
       status,
       run_status,
       kind,
       inferred,
       run_at,
       created_at,
       ended_at,
       action_summary,
       CASE WHEN octet_length(actions_taken::text) <= 32768 THEN actions_taken END AS actions_taken,
       octet_length(actions_taken::text) AS actions_taken_bytes,
       silent,
       late,
       consecutive_silence_count,
       consecutive_failure_count,
       (rlhf_scores ->> 'overall')::double precision AS score,
       rlhf_scores
FROM agent_run_log
WHERE project_key = %(project_key)s
  AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
  AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s
