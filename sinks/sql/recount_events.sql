-- Every event once: of repeated deliveries the first counts. A clock more than five minutes ahead of the log is not
-- believed. Of a run that was heard of again after it had left memory, only the first life counts.
CREATE TEMP TABLE recounted_event ON COMMIT DROP AS
SELECT
    first.project_key,
    first.run_id,
    first.event_id,
    first.type,
    first.log_partition,
    first.log_offset,
    first.logged_at,
    first.agent_id,
    first.data,
    CASE WHEN first.clamped THEN first.logged_at ELSE first.occurred_at END AS at,
    first.clamped,
    coalesce(run.late_events AND first.log_offset >= run.version, false) AS late
FROM (
    SELECT DISTINCT ON (project_key, run_id, event_id)
        *, occurred_at > logged_at + interval '5 minutes' AS clamped
    FROM run_event
    ORDER BY project_key, run_id, event_id, log_partition, log_offset
) AS first
LEFT JOIN agent_run AS run USING (project_key, run_id)
WHERE first.type NOT IN ('runledger.failure.resolved.v1', 'runledger.run.erased.v1')
  AND NOT (first.type = 'runledger.failure.recorded.v1' AND (first.data ->> 'detached')::boolean)
