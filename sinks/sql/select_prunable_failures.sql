-- Failures that belong to no run any more: detached ones, and what was told of pruned runs afterwards.
SELECT project_key, run_id::text, event_id
FROM run_failure AS f
WHERE project_key = %(project_key)s
  AND logged_at < %(before)s
  AND (run_id, event_id) > (%(after_run)s, %(after_event)s)
  AND (
      detached
      OR (SELECT true FROM pruned_run AS p WHERE p.project_key = f.project_key AND p.run_id = f.run_id LIMIT 1)
  )
  -- A repeat that is not old enough keeps it: its event stays.
  AND (
      SELECT true
      FROM run_event AS e
      WHERE e.log_day >= (%(before)s::timestamptz AT TIME ZONE 'UTC')::date
        AND e.logged_at >= %(before)s
        AND e.project_key = f.project_key AND e.run_id = f.run_id AND e.event_id = f.event_id
      LIMIT 1
  ) IS NULL
ORDER BY run_id, event_id
LIMIT %(limit)s
