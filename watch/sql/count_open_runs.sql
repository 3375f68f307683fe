SELECT count(*) FROM agent_run WHERE status = 'running'
