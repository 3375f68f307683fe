-- A project, if it is known.
-- %(project_key)s: text.
SELECT project_key FROM project WHERE project_key = %(project_key)s
