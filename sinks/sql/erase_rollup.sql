-- Figures of a project of which nothing is left; where something came since, they stay right for it.
WITH gone AS (
    SELECT DISTINCT r.project_key
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text)
    WHERE NOT EXISTS (SELECT FROM agent_run_log AS l WHERE l.project_key = r.project_key)
),
rollup AS (
    DELETE FROM run_rollup AS held USING gone WHERE held.project_key = gone.project_key
),
pruned AS (
    DELETE FROM pruned_rollup AS held USING gone WHERE held.project_key = gone.project_key
)
DELETE FROM pruned_run AS held USING gone WHERE held.project_key = gone.project_key
