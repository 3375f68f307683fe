-- Tables and views of the ledger in the order of their names, partitions left out, and their columns.
SELECT
    c.relname AS relation,
    c.relkind IN ('v', 'm') AS is_view,
    coalesce(obj_description(c.oid, 'pg_class'), '') AS about,
    a.attname AS column_name,
    format_type(a.atttypid, a.atttypmod) AS type,
    a.attnotnull AS is_required,
    coalesce(pg_get_expr(d.adbin, d.adrelid), CASE WHEN a.attidentity <> '' THEN 'counted up' END, '') AS preset,
    coalesce(a.attnum = ANY (i.indkey), false) AS is_key,
    coalesce(col_description(c.oid, a.attnum), '') AS meaning,
    has_table_privilege('runledger_read', c.oid, 'SELECT') AS is_readable
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relnamespace = current_schema()::regnamespace
  AND c.relkind IN ('r', 'p', 'v', 'm')
  AND NOT c.relispartition
  AND c.relname <> 'alembic_version'
ORDER BY c.relname, a.attnum
