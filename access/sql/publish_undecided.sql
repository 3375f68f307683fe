-- Make a project public unless somebody has decided about it.
-- %(project_key)s: text.
UPDATE project SET is_public = true WHERE project_key = %(project_key)s AND is_public IS NULL
