-- What resolves failures, recounted from the one below it: completions from runs and failures, tasks from failures and
-- completions, groups from tasks and words. So a row changed by hand shows at its own place.
WITH completed AS (
    SELECT of_task.project_key, of_task.task_id, of_task.run_id, run.ended_at
    FROM (
        SELECT project_key, task_id, run_id FROM agent_run
        UNION
        SELECT project_key, task_id, run_id FROM run_failure WHERE NOT detached
    ) AS of_task
    JOIN agent_run AS run ON run.project_key = of_task.project_key AND run.run_id = of_task.run_id
    WHERE of_task.task_id IS NOT NULL AND run.status = 'completed' AND run.ended_at IS NOT NULL
),
failed AS (
    SELECT
        project_key,
        fingerprint,
        task_id,
        min(occurred_at) AS first_failed_at,
        max(occurred_at) AS last_failed_at
    FROM run_failure
    WHERE task_id IS NOT NULL
    GROUP BY project_key, fingerprint, task_id
),
resolved AS (
    SELECT
        f.*,
        coalesce(following.ended_at, preceding.ended_at) AS resolved_at,
        CASE WHEN following.ended_at IS NULL THEN preceding.run_id ELSE following.run_id END AS resolved_by_run_id
    FROM failed AS f
    LEFT JOIN LATERAL (
        SELECT c.ended_at, c.run_id
        FROM task_completion AS c
        WHERE c.project_key = f.project_key AND c.task_id = f.task_id AND c.ended_at > f.last_failed_at
        ORDER BY c.ended_at, c.run_id
        LIMIT 1
    ) AS following ON true
    LEFT JOIN LATERAL (
        SELECT c.ended_at, c.run_id
        FROM task_completion AS c
        WHERE c.project_key = f.project_key
          AND c.task_id = f.task_id
          AND c.ended_at > f.first_failed_at
          AND c.ended_at <= f.last_failed_at
        ORDER BY c.ended_at DESC, c.run_id DESC
        LIMIT 1
    ) AS preceding ON true
),
settled AS (
    SELECT DISTINCT ON (project_key, fingerprint) project_key, fingerprint, resolved_at, run_id, event_id
    FROM (
        SELECT project_key, fingerprint, resolved_at, resolved_by_run_id AS run_id, NULL AS event_id, NULL::uuid AS said_by
        FROM failure_task
        WHERE resolved_at IS NOT NULL
        UNION ALL
        SELECT project_key, fingerprint, resolved_at, NULL, event_id, run_id
        FROM failure_resolution
    ) AS way
    ORDER BY
        project_key,
        fingerprint,
        resolved_at DESC,
        (event_id IS NOT NULL) DESC,
        event_id COLLATE "C" DESC,
        said_by DESC,
        run_id DESC
)
SELECT
    'task_completion_differs' AS kind,
    project_key,
    run_id::text AS subject,
    'task ' || task_id AS field,
    c.ended_at::text AS expected,
    held.ended_at::text AS found
FROM completed AS c
FULL JOIN task_completion AS held USING (project_key, task_id, run_id)
WHERE c.ended_at IS DISTINCT FROM held.ended_at
UNION ALL
SELECT 'failure_task_differs', project_key, fingerprint, d.field || ' of task ' || task_id, d.expected, d.found
FROM resolved AS r
FULL JOIN failure_task AS held USING (project_key, fingerprint, task_id)
CROSS JOIN LATERAL (
    VALUES
        ('first_failed_at', r.first_failed_at::text, held.first_failed_at::text),
        ('last_failed_at', r.last_failed_at::text, held.last_failed_at::text),
        ('resolved_at', r.resolved_at::text, held.resolved_at::text),
        ('resolved_by_run_id', r.resolved_by_run_id::text, held.resolved_by_run_id::text)
) AS d (field, expected, found)
WHERE d.expected IS DISTINCT FROM d.found
UNION ALL
SELECT 'failure_group_differs', project_key, fingerprint, d.field, d.expected, d.found
FROM failure_group AS g
LEFT JOIN settled AS s USING (project_key, fingerprint)
CROSS JOIN LATERAL (
    VALUES
        ('resolved_at', s.resolved_at::text, g.resolved_at::text),
        ('resolved_by_run_id', s.run_id::text, g.resolved_by_run_id::text),
        ('resolved_by_event_id', s.event_id, g.resolved_by_event_id)
) AS d (field, expected, found)
WHERE d.expected IS DISTINCT FROM d.found
ORDER BY 1, 2, 3, 4
