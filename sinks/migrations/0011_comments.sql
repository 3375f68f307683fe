-- What was left without a comment: docs/reference/tables.md shows every column with its own.
COMMENT ON COLUMN prunable_run.project_key IS 'Project of the run.';
COMMENT ON COLUMN prunable_run.run_id IS 'The run.';
COMMENT ON COLUMN prunable_run.row_id IS 'Its row in agent_run_log.';
COMMENT ON COLUMN prunable_run.heard_at IS 'When its agent was last heard, by the log.';
COMMENT ON COLUMN prunable_run.last_logged_at IS 'Log time of its last event, an inferred timeout included; both times have to be old enough.';
COMMENT ON COLUMN prunable_event.log_day IS 'Day of logged_at, UTC: the partition of run_event.';
COMMENT ON COLUMN prunable_event.log_partition IS 'Partition of run-events.';
COMMENT ON COLUMN prunable_event.log_offset IS 'Offset in that partition.';
COMMENT ON COLUMN prunable_event.logged_at IS 'Log time: what its age is counted from.';
COMMENT ON COLUMN prunable_event.project_key IS 'Project of the event.';
