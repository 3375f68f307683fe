-- Whichever came first, row or score: the row shows the earliest score it has, and the rollup moves by what that changed.
WITH earliest AS (
    SELECT DISTINCT ON (row_id)
        row_id,
        jsonb_build_object(
            'overall', overall, 'dimensions', dimensions, 'rubric', rubric, 'scorer', scorer, 'scored_at', scored_at
        ) AS scores
    FROM run_score
    WHERE row_id = ANY (%(row_ids)s::uuid[])
    ORDER BY row_id, scored_at, job_id
),
due AS (
    SELECT l.id, e.scores, (l.rlhf_scores ->> 'overall')::numeric AS before
    FROM earliest AS e
    JOIN agent_run_log AS l ON l.id = e.row_id
    WHERE l.rlhf_scores IS DISTINCT FROM e.scores
),
joined AS (
    UPDATE agent_run_log AS held
    SET rlhf_scores = due.scores
    FROM due
    WHERE held.id = due.id
    RETURNING held.project_key, held.created_at, held.log_partition, due.before, (due.scores ->> 'overall')::numeric AS after
),
change AS (
    SELECT
        project_key,
        date_bin('15 minutes', created_at, '2000-01-01 00:00:00+00') AS quarter,
        log_partition AS shard,
        count(after) - count(before) AS scored,
        coalesce(sum(after), 0) - coalesce(sum(before), 0) AS score_sum
    FROM joined
    GROUP BY 1, 2, 3
)
UPDATE run_rollup AS held
SET scored = held.scored + change.scored,
    score_sum = held.score_sum + change.score_sum
FROM change
WHERE (held.project_key, held.quarter, held.shard) = (change.project_key, change.quarter, change.shard)
