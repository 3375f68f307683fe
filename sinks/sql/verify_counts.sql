SELECT
    (SELECT count(*) FROM recounted_run) AS runs,
    (SELECT count(*) FROM run_event) AS deliveries,
    (SELECT count(*) FROM recounted_event) AS events,
    (SELECT count(*) FROM agent_run_log) AS logged_runs,
    (SELECT count(*) FROM agent_health) AS agents,
    (SELECT count(*) FROM recounted_event WHERE late) AS late_events,
    (SELECT count(*) FROM agent_run WHERE late_events) AS late_runs,
    (SELECT count(*) FROM recounted_run WHERE NOT comparable_cost) AS costs_not_compared,
    (SELECT count(*) FROM uncompared_agent) AS agents_not_compared,
    (SELECT count(*) FROM pruned_run) AS pruned_runs,
    (SELECT count(*) FROM unrecounted_run) AS runs_not_recounted
