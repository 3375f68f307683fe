-- The agents of the runs named: their health and what those runs used. %(run_ids)s: uuid[].
SELECT h.agent_id,
       h.finished_runs,
       h.last_status,
       h.consecutive_silence_count,
       h.consecutive_failure_count,
       (SELECT max(l.consecutive_silence_count) FROM agent_run_log AS l
        WHERE l.project_key = h.project_key AND l.agent_id = h.agent_id) AS longest_silence,
       (SELECT max(l.consecutive_failure_count) FROM agent_run_log AS l
        WHERE l.project_key = h.project_key AND l.agent_id = h.agent_id) AS longest_failing_streak,
       (SELECT avg((l.rlhf_scores ->> 'overall')::double precision) FROM agent_run_log AS l
        WHERE l.project_key = h.project_key AND l.agent_id = h.agent_id) AS mean_score,
       (SELECT sum(r.cost_usd) FROM agent_run AS r
        WHERE r.project_key = h.project_key AND r.agent_id = h.agent_id) AS cost_usd
FROM agent_health AS h
WHERE h.project_key = %(project_key)s
  AND h.agent_id IN (
      SELECT coalesce(l.agent_id, r.agent_id)
      FROM agent_run AS r
      LEFT JOIN agent_run_log AS l ON l.id = r.row_id
      WHERE r.project_key = %(project_key)s AND r.run_id = ANY (%(run_ids)s)
  )
ORDER BY h.agent_id
