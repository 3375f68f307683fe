SELECT project_key, run_id::text, row_id::text, heard_at
FROM prunable_run
WHERE project_key = %(project_key)s
  AND heard_at < %(before)s
  AND last_logged_at < %(before)s
  AND (heard_at, run_id) > (%(after_at)s, %(after_run)s)
ORDER BY heard_at, run_id
LIMIT %(limit)s
