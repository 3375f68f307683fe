-- Which of a batch's runs have a row, or may have none because they were pruned: their numbers, from 1.
-- %(keys)s: project/run_id of each.
-- Row by row through the keys, however many rows there are and whatever the planner knows of them.
WITH wanted AS MATERIALIZED (
    SELECT split_part(key, '/', 1) AS project_key, split_part(key, '/', 2)::uuid AS run_id, number
    FROM unnest(%(keys)s::text[]) WITH ORDINALITY AS wanted (key, number)
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
