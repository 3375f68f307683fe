-- Attached for reading and writing by others: not waited for long (migrations/0007_retention.sql).
SELECT drop_run_event_day(%(day)s)
