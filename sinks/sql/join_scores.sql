-- Whichever came first, row or score: the row shows the earliest score it has.
UPDATE agent_run_log AS held
SET rlhf_scores = s.scores
FROM (
    SELECT DISTINCT ON (row_id)
        row_id,
        jsonb_build_object(
            'overall', overall, 'dimensions', dimensions, 'rubric', rubric, 'scorer', scorer, 'scored_at', scored_at
        ) AS scores
    FROM run_score
    WHERE row_id = ANY (%(row_ids)s::uuid[])
    ORDER BY row_id, scored_at, job_id
) AS s
WHERE held.id = s.row_id AND held.rlhf_scores IS DISTINCT FROM s.scores
