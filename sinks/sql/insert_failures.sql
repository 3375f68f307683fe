-- Each failure once, and its group counts exactly the rows that were new.
WITH inserted AS (
    INSERT INTO run_failure
    SELECT r.*
    FROM jsonb_populate_recordset(NULL::run_failure, %(rows)s::jsonb) AS r
    ORDER BY r.project_key, r.run_id, r.event_id
    ON CONFLICT (project_key, run_id, event_id) DO NOTHING
    RETURNING project_key, fingerprint, summary, occurred_at, log_partition, log_offset
)
INSERT INTO failure_group AS held (project_key, fingerprint, summary, first_seen_at, last_seen_at, failure_count)
SELECT
    project_key,
    fingerprint,
    (array_agg(summary ORDER BY occurred_at, log_partition, log_offset))[1],
    min(occurred_at),
    max(occurred_at),
    count(*)
FROM inserted
GROUP BY project_key, fingerprint
ORDER BY project_key, fingerprint
ON CONFLICT (project_key, fingerprint) DO UPDATE SET
    summary = CASE WHEN excluded.first_seen_at < held.first_seen_at THEN excluded.summary ELSE held.summary END,
    first_seen_at = least(held.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(held.last_seen_at, excluded.last_seen_at),
    failure_count = held.failure_count + excluded.failure_count
