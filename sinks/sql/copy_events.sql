COPY run_event (
    log_day, log_partition, log_offset, logged_at, project_key, run_id, event_id, type, agent_id, occurred_at, source, data
) FROM STDIN
