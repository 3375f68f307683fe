SELECT pg_terminate_backend(pid) FROM unnest(%(pids)s::integer[]) AS pid
