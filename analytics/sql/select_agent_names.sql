-- Names of a project's agents, those still at work before the retired.
-- %(project_key)s: text, %(limit)s: integer.
SELECT agent_id
FROM agent
WHERE project_key = %(project_key)s
ORDER BY retired, agent_id
LIMIT %(limit)s
