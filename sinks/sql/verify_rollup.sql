-- Figures count pruned runs on.
WITH retained AS (
    SELECT
        project_key,
        date_bin('15 minutes', created_at, '2000-01-01 00:00:00+00') AS quarter,
        count(*) AS runs,
        count(*) FILTER (WHERE status = 'success') AS success,
        count(*) FILTER (WHERE status = 'partial') AS partial,
        count(*) FILTER (WHERE status = 'failed') AS failed,
        count(rlhf_scores ->> 'overall') AS scored,
        coalesce(sum((rlhf_scores ->> 'overall')::numeric), 0) AS score_sum
    FROM agent_run_log
    WHERE created_at IS NOT NULL
    GROUP BY 1, 2
),
counted AS (
    SELECT
        project_key,
        quarter,
        sum(runs) AS runs,
        sum(success) AS success,
        sum(partial) AS partial,
        sum(failed) AS failed,
        sum(scored) AS scored,
        sum(score_sum) AS score_sum
    FROM (TABLE retained UNION ALL TABLE pruned_rollup) AS both_
    GROUP BY 1, 2
),
held AS (
    SELECT
        project_key,
        quarter,
        sum(runs) AS runs,
        sum(success) AS success,
        sum(partial) AS partial,
        sum(failed) AS failed,
        sum(scored) AS scored,
        sum(score_sum) AS score_sum
    FROM run_rollup
    GROUP BY 1, 2
)
SELECT
    'rollup_differs' AS kind,
    project_key,
    to_char(quarter, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS subject,
    d.name AS field,
    d.expected::text,
    d.found::text
FROM counted AS c
FULL JOIN held AS h USING (project_key, quarter)
CROSS JOIN LATERAL (
    VALUES
        ('runs', coalesce(c.runs, 0), coalesce(h.runs, 0)),
        ('success', coalesce(c.success, 0), coalesce(h.success, 0)),
        ('partial', coalesce(c.partial, 0), coalesce(h.partial, 0)),
        ('failed', coalesce(c.failed, 0), coalesce(h.failed, 0)),
        ('scored', coalesce(c.scored, 0), coalesce(h.scored, 0)),
        ('score_sum', coalesce(c.score_sum, 0), coalesce(h.score_sum, 0))
) AS d (name, expected, found)
WHERE d.expected <> d.found
ORDER BY 1, 2, 3, 4
