-- The newest run of each agent of a project, the newest first; one probe of an index per card.
-- %(project_key)s: text, %(limit)s: integer.
WITH newest AS (
    SELECT h.agent_id
    FROM agent_health AS h
    WHERE h.project_key = %(project_key)s AND h.last_ended_at IS NOT NULL
    ORDER BY h.last_ended_at DESC, h.agent_id
    LIMIT %(limit)s
)
SELECT n.agent_id,
       a.name,
       a.role,
       left(l.action_summary, 501) AS action_summary,
       l.status,
       l.ended_at,
       l.run_id,
       l.silent
FROM newest AS n
LEFT JOIN agent AS a ON a.project_key = %(project_key)s AND a.agent_id = n.agent_id
CROSS JOIN LATERAL (
    SELECT g.action_summary, g.status, g.ended_at, g.run_id, coalesce(g.silent, false) AS silent
    FROM agent_run_log AS g
    WHERE g.project_key = %(project_key)s AND g.agent_id = n.agent_id AND g.ended_at IS NOT NULL
    ORDER BY g.ended_at DESC, g.run_id DESC
    LIMIT 1
) AS l
ORDER BY l.ended_at DESC, n.agent_id
