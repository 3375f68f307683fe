UPDATE project
SET pruned_before = greatest(pruned_before, %(before)s)
WHERE project_key = %(project_key)s
