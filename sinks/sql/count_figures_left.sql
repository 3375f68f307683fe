SELECT name, rows
FROM (
    SELECT 'run_rollup' AS name, count(*) AS rows FROM run_rollup WHERE project_key = %(project_key)s
    UNION ALL
    SELECT 'pruned_rollup', count(*) FROM pruned_rollup WHERE project_key = %(project_key)s
    UNION ALL
    SELECT 'failure_group', count(*) FROM failure_group WHERE project_key = %(project_key)s
) AS counted
WHERE rows > 0
