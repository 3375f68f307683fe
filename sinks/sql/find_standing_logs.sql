-- Which of a batch's logged runs have a row, or may have none because they were erased or pruned: their numbers, from 1.
-- %(keys)s: project/run_id of each, %(row_ids)s: ids of their rows.
WITH wanted AS MATERIALIZED (
    SELECT row_id, split_part(key, '/', 1) AS project_key, split_part(key, '/', 2)::uuid AS run_id, number
    FROM unnest(%(keys)s::text[], %(row_ids)s::uuid[]) WITH ORDINALITY AS wanted (key, row_id, number)
)
SELECT number
FROM wanted
CROSS JOIN LATERAL (SELECT FROM agent_run_log AS held WHERE held.id = wanted.row_id LIMIT 1) AS held
UNION ALL
SELECT number
FROM wanted
CROSS JOIN LATERAL (
    SELECT FROM erased_run AS gone WHERE gone.project_key = wanted.project_key AND gone.run_id = wanted.run_id LIMIT 1
) AS gone
UNION ALL
SELECT number
FROM wanted
CROSS JOIN LATERAL (
    SELECT FROM pruned_run AS gone WHERE gone.project_key = wanted.project_key AND gone.run_id = wanted.run_id LIMIT 1
) AS gone
