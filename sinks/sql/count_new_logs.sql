-- The rollup of rows that were just copied: their created_at is this transaction's now().
INSERT INTO run_rollup AS held (project_key, quarter, shard, runs, success, partial, failed, scored, score_sum)
SELECT project_key, date_bin('15 minutes', now(), '2000-01-01 00:00:00+00'), shard, runs, success, partial, failed, 0, 0
FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS r (project_key text, shard integer, runs bigint, success bigint, partial bigint, failed bigint)
ORDER BY project_key, shard
ON CONFLICT (project_key, quarter, shard) DO UPDATE SET
    runs = held.runs + excluded.runs,
    success = held.success + excluded.success,
    partial = held.partial + excluded.partial,
    failed = held.failed + excluded.failed
