-- Kinds of failures of a project whose fingerprints begin so, in their order.
-- %(project_key)s: text, %(prefix)s: 1 to 64 hexadecimal digits, %(limit)s: integer.
SELECT fingerprint
FROM failure_group
WHERE project_key = %(project_key)s
  -- Between bounds of equal length, so that the primary key serves in any collation.
  AND fingerprint BETWEEN rpad(%(prefix)s::text, 64, '0') AND rpad(%(prefix)s::text, 64, 'f')
ORDER BY fingerprint
LIMIT %(limit)s
