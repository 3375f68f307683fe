-- Rows of these runs. %(run_ids)s: uuid[]
SELECT name, rows
FROM (
    SELECT 'agent_run' AS name, count(*) AS rows
    FROM agent_run WHERE project_key = %(project_key)s AND run_id = ANY (%(run_ids)s::uuid[])
    UNION ALL
    SELECT 'agent_run_log', count(*)
    FROM agent_run_log WHERE project_key = %(project_key)s AND run_id = ANY (%(run_ids)s::uuid[])
    UNION ALL
    SELECT 'run_event', count(*)
    FROM run_event
    WHERE project_key = %(project_key)s AND run_id = ANY (%(run_ids)s::uuid[]) AND type <> 'runledger.run.erased.v1'
    UNION ALL
    SELECT 'run_failure', count(*)
    FROM run_failure WHERE project_key = %(project_key)s AND run_id = ANY (%(run_ids)s::uuid[])
    UNION ALL
    SELECT 'run_score', count(*)
    FROM run_score WHERE project_key = %(project_key)s AND run_id = ANY (%(run_ids)s::uuid[])
    UNION ALL
    SELECT 'pruned_run', count(*)
    FROM pruned_run WHERE project_key = %(project_key)s AND run_id = ANY (%(run_ids)s::uuid[])
) AS counted
WHERE rows > 0
