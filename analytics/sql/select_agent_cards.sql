-- The newest run of each agent of public projects, the newest first. What the row says of errors, prompts and details
-- is not read; a summary that is itself such a text is left out (meta `summary_is`, docs/events.md). One probe of an
-- index per card.
-- %(limit)s: integer.
WITH newest AS (
    SELECT h.project_key, h.agent_id
    FROM project AS p
    JOIN agent_health AS h ON h.project_key = p.project_key
    WHERE p.is_public AND h.last_ended_at IS NOT NULL
    ORDER BY h.last_ended_at DESC, h.project_key, h.agent_id
    LIMIT %(limit)s
)
SELECT n.agent_id,
       a.name,
       a.role,
       left(l.action_summary, 501) AS action_summary,
       l.status,
       l.ended_at
FROM newest AS n
LEFT JOIN agent AS a ON a.project_key = n.project_key AND a.agent_id = n.agent_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN g.actions_taken ? 'summary_is' THEN NULL ELSE g.action_summary END AS action_summary,
           g.status,
           g.ended_at
    FROM agent_run_log AS g
    WHERE g.project_key = n.project_key AND g.agent_id = n.agent_id AND g.ended_at IS NOT NULL
    ORDER BY g.ended_at DESC, g.run_id DESC
    LIMIT 1
) AS l
ORDER BY l.ended_at DESC, n.project_key, n.agent_id
