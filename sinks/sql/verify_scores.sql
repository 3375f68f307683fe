-- Each logged run has a job, no job or score stands without its run, and the row shows the earliest score there is.
SELECT 'job_missing' AS kind, l.project_key, l.run_id::text AS subject, 'scoring_outbox' AS field, 'a row' AS expected,
    'none' AS found
FROM agent_run_log AS l
WHERE NOT EXISTS (SELECT FROM scoring_outbox AS o WHERE o.row_id = l.id)
UNION ALL
SELECT 'job_without_run', split_part(o.key, '/', 1), split_part(o.key, '/', 2), 'scoring_outbox', 'no row', 'a row'
FROM scoring_outbox AS o
WHERE NOT EXISTS (SELECT FROM agent_run_log AS l WHERE l.id = o.row_id)
UNION ALL
SELECT 'score_without_run', s.project_key, s.run_id::text, 'run_score', 'no row', 'a row'
FROM run_score AS s
WHERE NOT EXISTS (SELECT FROM agent_run_log AS l WHERE l.id = s.row_id)
UNION ALL
SELECT 'score_differs', l.project_key, l.run_id::text, 'rlhf_scores', s.scores::text, l.rlhf_scores::text
FROM agent_run_log AS l
LEFT JOIN (
    SELECT DISTINCT ON (row_id)
        row_id,
        jsonb_build_object(
            'overall', overall, 'dimensions', dimensions, 'rubric', rubric, 'scorer', scorer, 'scored_at', scored_at
        ) AS scores
    FROM run_score
    ORDER BY row_id, scored_at, job_id
) AS s ON s.row_id = l.id
WHERE s.scores - 'scored_at' IS DISTINCT FROM l.rlhf_scores - 'scored_at'
   OR (s.scores ->> 'scored_at')::timestamptz IS DISTINCT FROM (l.rlhf_scores ->> 'scored_at')::timestamptz
ORDER BY 1, 2, 3, 4
