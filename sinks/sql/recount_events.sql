-- Every event once: of repeated deliveries the first counts, also where the database refused that one. A clock more than
-- five minutes ahead of the log is not believed. Of a run that was heard of again after it had left memory, only the first
-- life counts; runs that were pruned, or whose beginning is missing, are left out.
CREATE TEMP TABLE recounted_event ON COMMIT DROP AS
SELECT
    first.project_key,
    first.run_id,
    first.event_id,
    first.type,
    first.log_partition,
    place.log_offset,
    place.logged_at,
    first.agent_id,
    first.data,
    CASE WHEN place.clamped THEN place.logged_at ELSE first.occurred_at END AS at,
    place.clamped,
    coalesce(run.late_events AND place.log_offset >= run.version, false) AS late
FROM (
    SELECT DISTINCT ON (project_key, run_id, event_id) *
    FROM run_event
    ORDER BY project_key, run_id, event_id, log_partition, log_offset
) AS first
LEFT JOIN (
    SELECT DISTINCT ON (project_key, run_id, event_id) *
    FROM refused_event
    ORDER BY project_key, run_id, event_id, log_offset
) AS refused USING (project_key, run_id, event_id)
CROSS JOIN LATERAL (
    SELECT
        counted.log_offset,
        counted.logged_at,
        first.occurred_at > counted.logged_at + interval '5 minutes' AS clamped
    FROM (
        VALUES (first.log_offset, first.logged_at), (refused.log_offset, refused.logged_at)
    ) AS counted (log_offset, logged_at)
    ORDER BY counted.log_offset
    LIMIT 1
) AS place
LEFT JOIN agent_run AS run USING (project_key, run_id)
LEFT JOIN pruned_run AS pruned USING (project_key, run_id)
WHERE first.type NOT IN ('runledger.failure.resolved.v1', 'runledger.run.erased.v1')
  AND NOT (first.type = 'runledger.failure.recorded.v1' AND (first.data ->> 'detached')::boolean)
  AND pruned.pruned_at IS NULL
  AND NOT EXISTS (SELECT FROM unrecounted_run AS u WHERE u.project_key = first.project_key AND u.run_id = first.run_id)
