-- The run, if the project has it.
-- %(project_key)s: text, %(run_id)s: uuid.
SELECT run_id FROM agent_run WHERE project_key = %(project_key)s AND run_id = %(run_id)s
