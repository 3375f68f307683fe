-- Whatever lives under a run's id and belongs to an agent, or to a project where none is named. What an agent told within
-- another agent's run stays that run's.
SELECT run_id::text FROM agent_run
WHERE project_key = %(project_key)s AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
UNION
SELECT run_id::text FROM agent_run_log
WHERE project_key = %(project_key)s AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
UNION
SELECT run_id::text FROM pruned_run
WHERE project_key = %(project_key)s AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
UNION
SELECT run_id::text FROM run_failure
WHERE project_key = %(project_key)s AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s AND detached)
UNION
SELECT run_id::text FROM failure_resolution
WHERE project_key = %(project_key)s AND %(agent_id)s::text IS NULL
UNION
SELECT run_id::text FROM run_event
WHERE project_key = %(project_key)s AND %(agent_id)s::text IS NULL AND type <> 'runledger.run.erased.v1'
