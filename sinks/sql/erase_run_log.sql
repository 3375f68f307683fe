WITH order_ AS (
    SELECT r.row_id, max(r.erased_at) AS erased_at
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (row_id uuid, erased_at timestamptz)
    GROUP BY r.row_id
),
gone AS (
    DELETE FROM agent_run_log AS held
    USING order_
    WHERE held.id = order_.row_id AND held.run_at <= order_.erased_at
    RETURNING held.project_key, held.agent_id, held.run_at, held.log_partition, held.status
),
change AS (
    SELECT
        project_key,
        agent_id,
        date_trunc('hour', run_at, 'UTC') AS hour,
        log_partition AS shard,
        count(*) AS runs,
        count(*) FILTER (WHERE status = 'success') AS success,
        count(*) FILTER (WHERE status = 'partial') AS partial,
        count(*) FILTER (WHERE status = 'failed') AS failed
    FROM gone
    GROUP BY 1, 2, 3, 4
)
UPDATE run_rollup_hour AS held
SET runs = held.runs - change.runs,
    success = held.success - change.success,
    partial = held.partial - change.partial,
    failed = held.failed - change.failed
FROM change
WHERE (held.project_key, held.agent_id, held.hour, held.shard)
    = (change.project_key, change.agent_id, change.hour, change.shard)
