SELECT 1
FROM pg_inherits AS i
JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'run_event'::regclass AND c.relname = %(name)s
