-- Failures of one kind of a project, the latest first, with the runs that told them.
-- %(project_key)s: text, %(fingerprint)s: text, %(limit)s: integer;
-- %(place_at)s: timestamptz, %(place_event_id)s: text and %(place_run_id)s: uuid of the last row before, NULL for the start.
SELECT f.event_id,
       f.run_id,
       f.occurred_at,
       f.agent_id,
       f.task_id,
       f.summary,
       left(f.error, 500) AS error,
       length(f.error) AS error_characters,
       f.detached,
       run.status AS run_status
FROM (
    SELECT *
    FROM run_failure
    WHERE project_key = %(project_key)s
      AND fingerprint = %(fingerprint)s
      AND (%(place_at)s::timestamptz IS NULL OR occurred_at <= %(place_at)s)
      AND (%(place_at)s::timestamptz IS NULL
           OR occurred_at < %(place_at)s
           OR (event_id, run_id) < (%(place_event_id)s::text, %(place_run_id)s::uuid))
    ORDER BY occurred_at DESC, event_id DESC, run_id DESC
    LIMIT %(limit)s
) AS f
LEFT JOIN agent_run AS run ON run.project_key = %(project_key)s AND run.run_id = f.run_id AND NOT f.detached
ORDER BY f.occurred_at DESC, f.event_id DESC, f.run_id DESC
