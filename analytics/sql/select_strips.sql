-- The last 32 outcomes of each agent named, the oldest first: as many as streaks are counted over. One range of an index
-- per agent, whatever the ledger's size.
-- %(project_keys)s: text[], %(agent_ids)s: text[], of equal length.
SELECT n.project_key,
       n.agent_id,
       l.run_id,
       l.status,
       l.silent,
       l.inferred,
       l.ended_at
FROM unnest(%(project_keys)s::text[], %(agent_ids)s::text[]) AS n (project_key, agent_id)
CROSS JOIN LATERAL (
    SELECT g.run_id, g.status, coalesce(g.silent, false) AS silent, g.inferred, g.ended_at
    FROM agent_run_log AS g
    WHERE g.project_key = n.project_key AND g.agent_id = n.agent_id AND g.ended_at IS NOT NULL
    ORDER BY g.ended_at DESC, g.run_id DESC
    LIMIT 32
) AS l
ORDER BY n.project_key, n.agent_id, l.ended_at, l.run_id
