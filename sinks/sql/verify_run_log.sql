WITH counted AS (
    SELECT
        r.project_key,
        r.run_id,
        r.nameless,
        coalesce(a.late_events, false) AS twice,
        jsonb_build_object(
            'agent_id', coalesce(r.agent_id, 'unknown'),
            'run_at', r.end_logged_at,
            'action_summary', CASE
                WHEN jsonb_typeof(r.actions_taken -> 'summary') = 'string' THEN r.actions_taken ->> 'summary'
            END,
            'actions_taken', r.actions_taken,
            'status', r.outcome,
            'kind', r.kind,
            'run_status', r.status,
            'inferred', r.inferred,
            'silent', r.silent,
            'ended_at', r.ended_at
        ) AS facts
    FROM recounted_run AS r
    LEFT JOIN agent_run AS a USING (project_key, run_id)
    WHERE r.ended_at IS NOT NULL
),
both_ AS (
    SELECT project_key, run_id, c.nameless, c.twice, c.facts AS counted, to_jsonb(l) AS held
    FROM counted AS c
    FULL JOIN (
        SELECT *
        FROM agent_run_log AS l
        WHERE NOT EXISTS (SELECT FROM unrecounted_run AS u WHERE u.project_key = l.project_key AND u.run_id = l.run_id)
    ) AS l USING (project_key, run_id)
)
SELECT 'log_row_missing' AS kind, project_key, run_id::text AS subject, 'agent_run_log' AS field, 'a row' AS expected,
    'none' AS found
FROM both_
WHERE held IS NULL AND NOT nameless
UNION ALL
SELECT 'log_row_without_end', project_key, run_id::text, 'agent_run_log', 'no row', 'a row'
FROM both_
WHERE counted IS NULL
UNION ALL
SELECT 'log_row_differs', project_key, run_id::text, fact.key, fact.value #>> '{}', held ->> fact.key
FROM both_
CROSS JOIN LATERAL jsonb_each(counted) AS fact
WHERE held IS NOT NULL AND NOT twice AND fact.value IS DISTINCT FROM held -> fact.key
ORDER BY 1, 2, 3, 4
