-- Of runs that ended, name no task and count no failure those that did otherwise before, or have a failure of a task that
-- their snapshot does not count. %(keys)s: project/run_id of each.
WITH wanted AS MATERIALIZED (
    SELECT split_part(key, '/', 1) AS project_key, split_part(key, '/', 2)::uuid AS run_id
    FROM unnest(%(keys)s::text[]) AS key
)
SELECT r.project_key, r.run_id::text
FROM wanted AS r
WHERE EXISTS (SELECT FROM task_completion AS c WHERE c.project_key = r.project_key AND c.run_id = r.run_id)
   OR EXISTS (
       SELECT
       FROM run_failure AS f
       WHERE f.project_key = r.project_key AND f.run_id = r.run_id AND f.task_id IS NOT NULL AND NOT f.detached
   )
