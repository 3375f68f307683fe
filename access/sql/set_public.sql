UPDATE project
SET is_public = %(is_public)s
WHERE project_key = %(project_key)s
