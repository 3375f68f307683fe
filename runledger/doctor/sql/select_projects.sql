-- Projects of the ledger.
SELECT project_key FROM project ORDER BY project_key LIMIT 1000
