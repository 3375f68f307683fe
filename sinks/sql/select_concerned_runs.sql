-- Of runs that ended, name no task and count no failure those that did otherwise before, or have a failure of a task that
-- their snapshot does not count.
-- %(project_keys)s: text[], %(run_ids)s: uuid[], of equal length.
SELECT r.project_key, r.run_id::text
FROM unnest(%(project_keys)s::text[], %(run_ids)s::uuid[]) AS r (project_key, run_id)
WHERE EXISTS (SELECT FROM task_completion AS c WHERE c.project_key = r.project_key AND c.run_id = r.run_id)
   OR EXISTS (
       SELECT
       FROM run_failure AS f
       WHERE f.project_key = r.project_key AND f.run_id = r.run_id AND f.task_id IS NOT NULL AND NOT f.detached
   )
