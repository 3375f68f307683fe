-- Kinds of failures of a project, the latest first, and what resolved them. A group costs the same whatever it holds.
-- %(project_key)s: text, %(fingerprint)s: text or NULL for any, %(state)s: open, resolved, regressed or NULL for any,
-- %(since)s: timestamptz or NULL for any time, %(text)s: what the summary holds, or the fingerprint begins with, in lower
-- case, or NULL for any, %(limit)s: integer;
-- %(place_at)s: timestamptz and %(place_fingerprint)s: text of the last row before, NULL for the start.
WITH wanted AS (
    SELECT *
    FROM failure_group
    WHERE project_key = %(project_key)s
      AND (%(fingerprint)s::text IS NULL OR fingerprint = %(fingerprint)s)
      AND (%(state)s::text IS NULL OR state = %(state)s)
      AND (%(since)s::timestamptz IS NULL OR last_seen_at >= %(since)s)
      AND (%(text)s::text IS NULL OR strpos(lower(summary), %(text)s) > 0 OR starts_with(fingerprint, %(text)s))
      AND (%(place_at)s::timestamptz IS NULL OR last_seen_at <= %(place_at)s)
      AND (%(place_at)s::timestamptz IS NULL
           OR last_seen_at < %(place_at)s
           OR (last_seen_at = %(place_at)s AND fingerprint > %(place_fingerprint)s::text))
    ORDER BY last_seen_at DESC, fingerprint
    LIMIT %(limit)s
)
SELECT w.fingerprint,
       w.state,
       w.failure_count,
       w.first_seen_at,
       w.last_seen_at,
       ARRAY(
           SELECT DISTINCT newest.agent_id
           FROM (
               -- A bound on the work: a group may hold millions.
               SELECT agent_id
               FROM run_failure
               WHERE project_key = %(project_key)s AND fingerprint = w.fingerprint
               ORDER BY occurred_at DESC
               LIMIT 1000
           ) AS newest
           WHERE newest.agent_id IS NOT NULL
           ORDER BY newest.agent_id
           LIMIT 20
       ) AS agents,
       last_one.summary,
       left(last_one.error, 2000) AS error,
       length(last_one.error) AS error_characters,
       CASE WHEN NOT last_one.detached THEN last_one.run_id END AS run_id,
       last_one.task_id,
       w.resolved_at,
       w.resolved_by_run_id,
       w.resolved_by_event_id,
       CASE WHEN w.resolved_by_event_id IS NULL THEN run.agent_id ELSE word.agent_id END AS resolved_by_agent_id,
       run.end_summary AS resolved_by_summary,
       word.resolved_by,
       word.note AS resolution_note,
       CASE
           WHEN w.state = 'regressed' THEN (
               SELECT min(f.occurred_at)
               FROM run_failure AS f
               WHERE f.project_key = %(project_key)s
                 AND f.fingerprint = w.fingerprint
                 AND f.occurred_at > w.resolved_at
           )
       END AS regressed_at
FROM wanted AS w
CROSS JOIN LATERAL (
    SELECT run_id, task_id, summary, error, detached
    FROM run_failure
    WHERE project_key = %(project_key)s AND fingerprint = w.fingerprint
    ORDER BY occurred_at DESC, event_id DESC
    LIMIT 1
) AS last_one
LEFT JOIN agent_run AS run ON run.project_key = %(project_key)s AND run.run_id = w.resolved_by_run_id
LEFT JOIN LATERAL (
    SELECT r.agent_id, r.resolved_by, r.note
    FROM failure_resolution AS r
    WHERE r.project_key = %(project_key)s
      AND r.fingerprint = w.fingerprint
      AND r.resolved_at = w.resolved_at
      AND r.event_id = w.resolved_by_event_id
    ORDER BY r.run_id DESC
    LIMIT 1
) AS word ON true
ORDER BY w.last_seen_at DESC, w.fingerprint
