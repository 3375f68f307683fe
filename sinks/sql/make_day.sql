-- In a transaction of its own; other sinks that want the same day wait for it (migrations/0006_roles.sql).
SELECT make_run_event_day(%(day)s)
