-- The last 32 finished runs of an agent, the oldest first: as many as streaks are counted over. What each says it did is
-- cut after 300 characters.
-- %(project_key)s: text, %(agent_id)s: text.
SELECT l.run_id,
       l.status,
       coalesce(l.silent, false) AS silent,
       l.inferred,
       l.ended_at,
       r.started_at,
       left(l.action_summary, 301) AS action_summary,
       l.consecutive_silence_count,
       l.consecutive_failure_count,
       (l.rlhf_scores ->> 'overall')::double precision AS score,
       r.cost_usd,
       coalesce(r.cost_source, 'unknown') AS cost_source,
       r.input_tokens,
       r.output_tokens,
       r.total_tokens,
       coalesce(r.failures, 0) AS failure_count
FROM (
    SELECT *
    FROM agent_run_log
    WHERE project_key = %(project_key)s AND agent_id = %(agent_id)s AND ended_at IS NOT NULL
    ORDER BY ended_at DESC, run_id DESC
    LIMIT 32
) AS l
-- One probe of the key a run, whatever the planner thinks of the ledger's size.
LEFT JOIN LATERAL (
    SELECT *
    FROM agent_run AS a
    WHERE a.project_key = l.project_key AND a.run_id = l.run_id
    LIMIT 1
) AS r ON true
ORDER BY l.ended_at, l.run_id
