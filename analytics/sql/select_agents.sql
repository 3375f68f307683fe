-- The agents of the runs named: their health, and what all their runs used.
-- %(project_keys)s: text[], %(run_ids)s: uuid[], of equal length.
WITH named AS (
    SELECT DISTINCT l.project_key, l.agent_id
    FROM unnest(%(project_keys)s::text[], %(run_ids)s::uuid[]) AS n (project_key, run_id)
    JOIN agent_run_log AS l USING (project_key, run_id)
),
logged AS (
    SELECT l.project_key,
           l.agent_id,
           max(l.consecutive_silence_count) AS longest_silence,
           max(l.consecutive_failure_count) AS longest_failing_streak,
           avg((l.rlhf_scores ->> 'overall')::double precision) AS mean_score,
           sum(r.cost_usd) AS cost_usd,
           sum(r.total_tokens)::bigint AS total_tokens
    FROM named
    JOIN agent_run_log AS l USING (project_key, agent_id)
    LEFT JOIN agent_run AS r USING (project_key, run_id)
    GROUP BY l.project_key, l.agent_id
)
SELECT h.project_key,
       h.agent_id,
       h.finished_runs,
       h.last_status,
       h.consecutive_silence_count,
       h.consecutive_failure_count,
       logged.longest_silence,
       logged.longest_failing_streak,
       logged.mean_score,
       logged.cost_usd,
       logged.total_tokens
FROM logged
JOIN agent_health AS h USING (project_key, agent_id)
ORDER BY h.project_key, h.agent_id
