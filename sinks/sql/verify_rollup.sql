WITH counted AS (
    SELECT
        project_key,
        agent_id::text AS agent_id,
        date_trunc('hour', run_at, 'UTC') AS hour,
        count(*) AS runs,
        count(*) FILTER (WHERE status = 'success') AS success,
        count(*) FILTER (WHERE status = 'partial') AS partial,
        count(*) FILTER (WHERE status = 'failed') AS failed
    FROM agent_run_log
    GROUP BY 1, 2, 3
),
held AS (
    SELECT
        project_key,
        agent_id,
        hour,
        sum(runs)::bigint AS runs,
        sum(success)::bigint AS success,
        sum(partial)::bigint AS partial,
        sum(failed)::bigint AS failed
    FROM run_rollup_hour
    GROUP BY 1, 2, 3
)
SELECT 'rollup_differs' AS kind, project_key, agent_id AS subject, d.name || ' at ' || hour AS field, d.expected::text, d.found::text
FROM counted AS c
FULL JOIN held AS h USING (project_key, agent_id, hour)
CROSS JOIN LATERAL (
    VALUES
        ('runs', coalesce(c.runs, 0), coalesce(h.runs, 0)),
        ('success', coalesce(c.success, 0), coalesce(h.success, 0)),
        ('partial', coalesce(c.partial, 0), coalesce(h.partial, 0)),
        ('failed', coalesce(c.failed, 0), coalesce(h.failed, 0))
) AS d (name, expected, found)
WHERE d.expected <> d.found
ORDER BY 1, 2, 3, 4
