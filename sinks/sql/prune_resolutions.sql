-- Words on kinds of failures that are gone.
DELETE FROM failure_resolution AS held
USING (
    SELECT w.project_key, w.run_id, w.event_id
    FROM failure_resolution AS w
    WHERE w.project_key = %(project_key)s
      AND w.logged_at < %(before)s
      AND NOT EXISTS (
          SELECT FROM failure_group AS g WHERE g.project_key = w.project_key AND g.fingerprint = w.fingerprint
      )
      -- A repeat that is not old enough keeps it: its event stays.
      AND (
          SELECT true
          FROM run_event AS e
          WHERE e.log_day >= (%(before)s::timestamptz AT TIME ZONE 'UTC')::date
            AND e.logged_at >= %(before)s
            AND e.project_key = w.project_key AND e.run_id = w.run_id AND e.event_id = w.event_id
          LIMIT 1
      ) IS NULL
    LIMIT %(limit)s
) AS gone
WHERE held.project_key = gone.project_key AND held.run_id = gone.run_id AND held.event_id = gone.event_id
