-- Groups are counted anew, and none keeps a word of what is gone.
WITH gone AS (
    DELETE FROM run_failure AS held
    USING jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, run_id uuid, before_offset bigint)
    WHERE held.project_key = r.project_key AND held.run_id = r.run_id AND held.log_offset < r.before_offset
    RETURNING held.project_key, held.fingerprint, held.run_id, held.event_id
),
kept AS (
    SELECT
        f.project_key,
        f.fingerprint,
        (array_agg(f.summary ORDER BY f.occurred_at, f.log_partition, f.log_offset))[1] AS summary,
        min(f.occurred_at) AS first_seen_at,
        max(f.occurred_at) AS last_seen_at,
        count(*) AS failure_count
    FROM run_failure AS f
    WHERE (f.project_key, f.fingerprint) IN (SELECT project_key, fingerprint FROM gone)
      AND (f.project_key, f.run_id, f.event_id) NOT IN (SELECT project_key, run_id, event_id FROM gone)
    GROUP BY f.project_key, f.fingerprint
),
emptied AS (
    DELETE FROM failure_group AS held
    WHERE (held.project_key, held.fingerprint) IN (SELECT project_key, fingerprint FROM gone)
      AND (held.project_key, held.fingerprint) NOT IN (SELECT project_key, fingerprint FROM kept)
)
UPDATE failure_group AS held
SET summary = kept.summary,
    first_seen_at = kept.first_seen_at,
    last_seen_at = kept.last_seen_at,
    failure_count = kept.failure_count
FROM kept
WHERE held.project_key = kept.project_key AND held.fingerprint = kept.fingerprint
