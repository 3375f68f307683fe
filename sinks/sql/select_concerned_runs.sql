-- Of the batch's runs those that ended and name no task, but did so before, or recorded failures of one that their snapshot
-- does not count.
SELECT r.project_key, r.run_id::text
FROM incoming_run AS r
WHERE r.status <> 'running'
  AND r.task_id IS NULL
  AND r.failures = 0
  AND (
      EXISTS (SELECT FROM task_completion AS c WHERE c.project_key = r.project_key AND c.run_id = r.run_id)
      OR EXISTS (
          SELECT
          FROM run_failure AS f
          WHERE f.project_key = r.project_key AND f.run_id = r.run_id AND f.task_id IS NOT NULL AND NOT f.detached
      )
  )
