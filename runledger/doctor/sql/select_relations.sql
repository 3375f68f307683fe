-- Tables and views that our statements would find.
SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') AND pg_table_is_visible(oid)
