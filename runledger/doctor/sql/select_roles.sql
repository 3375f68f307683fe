-- Which of our group roles are there.
SELECT rolname::text FROM pg_roles WHERE rolname = ANY (%(roles)s)
