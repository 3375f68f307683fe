-- Kinds of failures of a project, the latest first, and whether a later run of the same task completed.
-- A run is of a task if it was started with it, or recorded a failure of it.
-- %(project_key)s: text, %(fingerprint)s: text or NULL for any, %(since)s: timestamptz or NULL for any time, %(limit)s: integer;
-- %(place_at)s: timestamptz and %(place_fingerprint)s: text of the last row before, NULL for the start.
WITH wanted AS (
    SELECT fingerprint, failure_count, first_seen_at, last_seen_at
    FROM failure_group
    WHERE project_key = %(project_key)s
      AND (%(fingerprint)s::text IS NULL OR fingerprint = %(fingerprint)s)
      AND (%(since)s::timestamptz IS NULL OR last_seen_at >= %(since)s)
      AND (%(place_at)s::timestamptz IS NULL
           OR last_seen_at < %(place_at)s
           OR (last_seen_at = %(place_at)s AND fingerprint > %(place_fingerprint)s::text))
    ORDER BY last_seen_at DESC, fingerprint
    LIMIT %(limit)s
),
newest AS (
    -- A bound on the work: a group may hold millions.
    SELECT f.*, row_number() OVER (PARTITION BY f.fingerprint ORDER BY f.occurred_at DESC, f.event_id DESC) AS place
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT fingerprint, run_id, event_id, agent_id, task_id, summary, error, detached, occurred_at
        FROM run_failure
        WHERE project_key = %(project_key)s AND fingerprint = w.fingerprint
        ORDER BY occurred_at DESC
        LIMIT 1000
    ) AS f
),
tasks AS (
    SELECT fingerprint, task_id, min(occurred_at) AS failed_at
    FROM newest
    WHERE task_id IS NOT NULL
    GROUP BY fingerprint, task_id
),
completed AS (
    SELECT t.fingerprint, r.run_id, r.agent_id, r.end_summary, r.ended_at
    FROM tasks AS t
    JOIN agent_run AS r
        ON r.project_key = %(project_key)s AND r.task_id = t.task_id AND r.status = 'completed' AND r.ended_at > t.failed_at
    UNION ALL
    SELECT t.fingerprint, r.run_id, r.agent_id, r.end_summary, r.ended_at
    FROM tasks AS t
    JOIN run_failure AS f ON f.project_key = %(project_key)s AND f.task_id = t.task_id AND NOT f.detached
    JOIN agent_run AS r
        ON r.project_key = f.project_key AND r.run_id = f.run_id AND r.status = 'completed' AND r.ended_at > t.failed_at
),
resolved AS (
    SELECT DISTINCT ON (fingerprint) fingerprint, run_id, agent_id, end_summary, ended_at
    FROM completed
    ORDER BY fingerprint, ended_at DESC, run_id
)
SELECT w.fingerprint,
       w.failure_count,
       w.first_seen_at,
       w.last_seen_at,
       ARRAY(
           SELECT DISTINCT n.agent_id
           FROM newest AS n
           WHERE n.fingerprint = w.fingerprint AND n.agent_id IS NOT NULL
           ORDER BY n.agent_id
           LIMIT 20
       ) AS agents,
       last_one.summary,
       left(last_one.error, 2000) AS error,
       length(last_one.error) AS error_characters,
       CASE WHEN NOT last_one.detached THEN last_one.run_id END AS run_id,
       last_one.task_id,
       resolved.ended_at AS resolved_at,
       resolved.run_id AS resolved_by_run_id,
       resolved.agent_id AS resolved_by_agent_id,
       resolved.end_summary AS resolved_by_summary
FROM wanted AS w
JOIN newest AS last_one ON last_one.fingerprint = w.fingerprint AND last_one.place = 1
LEFT JOIN resolved ON resolved.fingerprint = w.fingerprint
ORDER BY w.last_seen_at DESC, w.fingerprint
