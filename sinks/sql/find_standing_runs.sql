-- Which of a batch's runs have a row, or may have none because they were pruned: their numbers, from 1.
-- %(project_keys)s: text[], %(run_ids)s: uuid[], of equal length.
-- Row by row through the key, however many rows there are and whatever the planner knows of them.
WITH wanted AS MATERIALIZED (
    SELECT *
    FROM unnest(%(project_keys)s::text[], %(run_ids)s::uuid[]) WITH ORDINALITY AS wanted (project_key, run_id, number)
)
SELECT number
FROM wanted
CROSS JOIN LATERAL (
    SELECT FROM agent_run AS held WHERE held.project_key = wanted.project_key AND held.run_id = wanted.run_id LIMIT 1
) AS held
UNION ALL
SELECT number
FROM wanted
CROSS JOIN LATERAL (
    SELECT FROM pruned_run AS gone WHERE gone.project_key = wanted.project_key AND gone.run_id = wanted.run_id LIMIT 1
) AS gone
WHERE (SELECT true FROM pruned_run LIMIT 1)
