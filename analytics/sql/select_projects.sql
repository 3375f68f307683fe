-- Every project, by name: for operators alone.
SELECT project_key FROM project ORDER BY project_key
