-- Rows of these agents themselves. %(agent_ids)s: text[]
SELECT name, rows
FROM (
    SELECT 'agent' AS name, count(*) AS rows
    FROM agent WHERE project_key = %(project_key)s AND agent_id = ANY (%(agent_ids)s::text[])
    UNION ALL
    SELECT 'agent_health', count(*)
    FROM agent_health WHERE project_key = %(project_key)s AND agent_id = ANY (%(agent_ids)s::text[])
    UNION ALL
    SELECT 'incident', count(*)
    FROM incident WHERE project_key = %(project_key)s AND agent_id = ANY (%(agent_ids)s::text[])
    UNION ALL
    SELECT 'pruned_agent', count(*)
    FROM pruned_agent WHERE project_key = %(project_key)s AND agent_id = ANY (%(agent_ids)s::text[])
) AS counted
WHERE rows > 0
