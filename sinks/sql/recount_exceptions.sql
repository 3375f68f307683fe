-- Runs that the tables hold, but not the whole of their events: they began before the first offset that was read here.
CREATE TEMP TABLE unrecounted_run ON COMMIT DROP AS
SELECT r.project_key, r.run_id
FROM agent_run AS r
JOIN consumer_offset AS o ON o.topic LIKE '%run-events' AND o.partition = r.log_partition
WHERE r.born_offset < o.first_offset
