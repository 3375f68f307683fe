SELECT agent_id FROM agent WHERE project_key = %(project_key)s
UNION
SELECT agent_id FROM agent_health WHERE project_key = %(project_key)s
UNION
SELECT agent_id FROM incident WHERE project_key = %(project_key)s
UNION
SELECT agent_id FROM pruned_agent WHERE project_key = %(project_key)s
