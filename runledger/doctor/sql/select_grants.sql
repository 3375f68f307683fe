-- What a role lacks: tables it may not read, of those that are here, and temporary tables for who writes.
SELECT role, object, verb
FROM (
    SELECT w.role, c.relname::text AS object, w.verb
    FROM jsonb_to_recordset(%(wanted)s::jsonb) AS w (role text, object text, verb text)
    JOIN pg_class AS c ON c.oid = to_regclass(w.object)
    WHERE NOT has_table_privilege(w.role, c.oid, w.verb)
    UNION ALL
    SELECT 'runledger_write', current_database()::text, 'TEMPORARY'
    WHERE NOT has_database_privilege('runledger_write', current_database(), 'TEMPORARY')
    UNION ALL
    SELECT 'runledger_write', 'make_run_event_day(date)', 'EXECUTE'
    WHERE to_regprocedure('make_run_event_day(date)') IS NOT NULL
      AND NOT has_function_privilege('runledger_write', 'make_run_event_day(date)', 'EXECUTE')
) AS lacking
ORDER BY 1, 2, 3
