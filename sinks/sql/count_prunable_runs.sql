SELECT count(*)
FROM prunable_run
WHERE (%(project_key)s::text IS NULL OR project_key = %(project_key)s)
  AND heard_at < %(before)s
  AND last_logged_at < %(before)s
