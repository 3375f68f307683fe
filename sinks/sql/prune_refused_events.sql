DELETE FROM refused_event AS held
WHERE project_key = %(project_key)s
  AND logged_at < %(before)s
  AND NOT EXISTS (SELECT FROM agent_run AS r WHERE r.project_key = held.project_key AND r.run_id = held.run_id)
