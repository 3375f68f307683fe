WITH order_ AS (
    SELECT r.row_id, max(r.erased_at) AS erased_at
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (row_id uuid, erased_at timestamptz, snapshot boolean)
    WHERE NOT r.snapshot
    GROUP BY r.row_id
),
gone AS (
    DELETE FROM agent_run_log AS held
    USING order_
    WHERE held.id = order_.row_id AND held.run_at <= order_.erased_at
    RETURNING held.project_key, held.created_at, held.log_partition, held.status,
        (held.rlhf_scores ->> 'overall')::numeric AS score
),
change AS (
    SELECT
        project_key,
        date_bin('15 minutes', created_at, '2000-01-01 00:00:00+00') AS quarter,
        log_partition AS shard,
        count(*) AS runs,
        count(*) FILTER (WHERE status = 'success') AS success,
        count(*) FILTER (WHERE status = 'partial') AS partial,
        count(*) FILTER (WHERE status = 'failed') AS failed,
        count(score) AS scored,
        coalesce(sum(score), 0) AS score_sum
    FROM gone
    GROUP BY 1, 2, 3
)
UPDATE run_rollup AS held
SET runs = held.runs - change.runs,
    success = held.success - change.success,
    partial = held.partial - change.partial,
    failed = held.failed - change.failed,
    scored = held.scored - change.scored,
    score_sum = held.score_sum - change.score_sum
FROM change
WHERE (held.project_key, held.quarter, held.shard) = (change.project_key, change.quarter, change.shard)
