-- What resolved one kind of failure of a project, the latest first: words, and the runs that completed its tasks.
-- %(project_key)s: text, %(fingerprint)s: text, %(limit)s: integer.
(
    SELECT r.resolved_at,
           'word' AS how,
           r.event_id,
           NULL::uuid AS run_id,
           r.agent_id,
           NULL::text AS task_id,
           r.resolved_by,
           r.note
    FROM failure_resolution AS r
    WHERE r.project_key = %(project_key)s AND r.fingerprint = %(fingerprint)s
    ORDER BY r.resolved_at DESC, r.event_id DESC, r.run_id DESC
    LIMIT %(limit)s
)
UNION ALL
(
    SELECT t.resolved_at, 'run', NULL, t.resolved_by_run_id, run.agent_id, t.task_id, NULL, run.end_summary
    FROM failure_task AS t
    LEFT JOIN agent_run AS run ON run.project_key = %(project_key)s AND run.run_id = t.resolved_by_run_id
    WHERE t.project_key = %(project_key)s AND t.fingerprint = %(fingerprint)s AND t.resolved_at IS NOT NULL
    ORDER BY t.resolved_at DESC, t.resolved_by_run_id DESC
    LIMIT %(limit)s
)
ORDER BY resolved_at DESC, how, run_id
LIMIT %(limit)s
