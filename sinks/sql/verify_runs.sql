WITH counted AS (
    SELECT
        r.project_key,
        r.run_id,
        to_jsonb(r) - '{silent, nameless, comparable_cost}'::text[]
        - CASE WHEN r.comparable_cost THEN '' ELSE 'cost_usd' END
        - CASE WHEN r.usage_mismatch IS NULL THEN 'usage_mismatch' ELSE '' END AS facts
    FROM recounted_run AS r
),
held AS (
    SELECT project_key, run_id, to_jsonb(a) || jsonb_build_object('reported', a.reported - 'cost_usd') AS facts
    FROM agent_run AS a
    WHERE NOT EXISTS (SELECT FROM unrecounted_run AS u WHERE u.project_key = a.project_key AND u.run_id = a.run_id)
),
both_ AS (
    SELECT project_key, run_id, counted.facts AS counted, held.facts AS held
    FROM counted
    FULL JOIN held USING (project_key, run_id)
)
SELECT 'run_missing' AS kind, project_key, run_id::text AS subject, 'agent_run' AS field, 'a row' AS expected, 'none' AS found
FROM both_
WHERE held IS NULL
UNION ALL
SELECT 'run_without_events', project_key, run_id::text, 'agent_run', 'no row', 'a row'
FROM both_
WHERE counted IS NULL
UNION ALL
SELECT 'run_differs', project_key, run_id::text, fact.key, fact.value #>> '{}', held ->> fact.key
FROM both_
CROSS JOIN LATERAL jsonb_each(counted) AS fact
WHERE counted <> held AND held IS NOT NULL AND fact.value IS DISTINCT FROM held -> fact.key
ORDER BY 1, 2, 3, 4
