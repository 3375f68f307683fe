-- Runs that were pruned are counted on; where the newest of all was, the rest of an agent's row is not known.
WITH last AS (
    SELECT DISTINCT ON (project_key, agent_id)
        project_key,
        agent_id,
        ended_at,
        outcome,
        consecutive_silence_count,
        consecutive_failure_count,
        beyond,
        silence_known,
        failures_known
    FROM recounted_streak
    ORDER BY project_key, agent_id, place DESC
),
total AS (
    SELECT project_key, agent_id, sum(runs) AS runs
    FROM (
        SELECT project_key, agent_id, 1 AS runs
        FROM recounted_streak
        UNION ALL
        SELECT project_key, agent_id, 1
        FROM agent_run_log
        WHERE late
        UNION ALL
        SELECT project_key, agent_id, runs
        FROM pruned_agent
    ) AS finished
    GROUP BY project_key, agent_id
),
counted AS (
    SELECT
        project_key,
        agent_id,
        jsonb_build_object(
            'finished_runs', t.runs,
            'last_ended_at', l.ended_at,
            'last_status', l.outcome,
            'consecutive_silence_count', coalesce(l.consecutive_silence_count, 0),
            'consecutive_failure_count', coalesce(l.consecutive_failure_count, 0)
        )
        - CASE
            WHEN p.agent_id IS NULL OR l.beyond THEN '{}'::text[]
            ELSE '{last_ended_at, last_status}'
        END
        - CASE WHEN p.agent_id IS NULL OR l.silence_known THEN '' ELSE 'consecutive_silence_count' END
        - CASE WHEN p.agent_id IS NULL OR l.failures_known THEN '' ELSE 'consecutive_failure_count' END AS facts
    FROM total AS t
    LEFT JOIN last AS l USING (project_key, agent_id)
    LEFT JOIN pruned_agent AS p USING (project_key, agent_id)
),
both_ AS (
    SELECT project_key, agent_id, c.facts AS counted, to_jsonb(h) AS held
    FROM counted AS c
    FULL JOIN agent_health AS h USING (project_key, agent_id)
    WHERE (project_key, agent_id) NOT IN (SELECT project_key, agent_id FROM uncompared_agent)
)
SELECT 'agent_missing' AS kind, project_key, agent_id AS subject, 'agent_health' AS field, 'a row' AS expected,
    'none' AS found
FROM both_
WHERE held IS NULL
UNION ALL
SELECT 'agent_without_runs', project_key, agent_id, 'agent_health', 'no row', 'a row'
FROM both_
WHERE counted IS NULL
UNION ALL
SELECT 'agent_differs', project_key, agent_id, fact.key, fact.value #>> '{}', held ->> fact.key
FROM both_
CROSS JOIN LATERAL jsonb_each(counted) AS fact
WHERE held IS NOT NULL AND fact.value IS DISTINCT FROM held -> fact.key
ORDER BY 1, 2, 3, 4
