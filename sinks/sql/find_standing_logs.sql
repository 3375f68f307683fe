-- Which of a batch's logged runs have a row, or may have none because they were erased or pruned: their numbers, from 1.
-- %(project_keys)s: text[], %(run_ids)s: uuid[], of equal length.
WITH wanted AS MATERIALIZED (
    SELECT *
    FROM unnest(%(project_keys)s::text[], %(run_ids)s::uuid[]) WITH ORDINALITY AS wanted (project_key, run_id, number)
)
SELECT number
FROM wanted
CROSS JOIN LATERAL (
    SELECT
    FROM agent_run_log AS held
    WHERE held.project_key = wanted.project_key AND held.run_id = wanted.run_id
    LIMIT 1
) AS held
UNION ALL
SELECT number
FROM wanted
CROSS JOIN LATERAL (
    SELECT FROM erased_run AS gone WHERE gone.project_key = wanted.project_key AND gone.run_id = wanted.run_id LIMIT 1
) AS gone
WHERE (SELECT true FROM erased_run LIMIT 1)
UNION ALL
SELECT number
FROM wanted
CROSS JOIN LATERAL (
    SELECT FROM pruned_run AS gone WHERE gone.project_key = wanted.project_key AND gone.run_id = wanted.run_id LIMIT 1
) AS gone
WHERE (SELECT true FROM pruned_run LIMIT 1)
