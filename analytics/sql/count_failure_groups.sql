-- How many kinds of failures of a project are in each state.
-- %(project_key)s: text.
SELECT count(*) FILTER (WHERE state = 'open') AS open,
       count(*) FILTER (WHERE state = 'regressed') AS regressed,
       count(*) FILTER (WHERE state = 'resolved') AS resolved
FROM failure_group
WHERE project_key = %(project_key)s
