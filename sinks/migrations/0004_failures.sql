-- Failure groups get a state: open, resolved or regressed. What decides it is kept small and indexed, so that a batch
-- costs the same whatever a group holds (docs/adr/0007).

-- ---------------------------------------------------------------- resolutions by word

CREATE TABLE failure_resolution (
    project_key   text             NOT NULL,
    run_id        uuid             NOT NULL,
    event_id      text COLLATE "C" NOT NULL,
    fingerprint   text             NOT NULL,
    agent_id      text,
    resolved_by   text,
    note          text,
    resolved_at   timestamptz      NOT NULL,
    logged_at     timestamptz      NOT NULL,
    log_partition integer          NOT NULL,
    log_offset    bigint           NOT NULL,
    PRIMARY KEY (project_key, run_id, event_id)
);
CREATE INDEX failure_resolution_group
    ON failure_resolution (project_key, fingerprint, resolved_at DESC, event_id DESC, run_id DESC);

COMMENT ON TABLE failure_resolution IS 'Words of operators and agents that a kind of failure is resolved, each once; also before any such failure.';
COMMENT ON COLUMN failure_resolution.project_key IS 'Project of the failures.';
COMMENT ON COLUMN failure_resolution.run_id IS 'Key of the event: the run of the agent that says so, else no run at all.';
COMMENT ON COLUMN failure_resolution.event_id IS 'Event that told it.';
COMMENT ON COLUMN failure_resolution.fingerprint IS 'Kind of failure.';
COMMENT ON COLUMN failure_resolution.agent_id IS 'Agent that says so, where one does.';
COMMENT ON COLUMN failure_resolution.resolved_by IS 'Person or program that says so, as they call themselves.';
COMMENT ON COLUMN failure_resolution.note IS 'How it was resolved.';
COMMENT ON COLUMN failure_resolution.resolved_at IS 'The sender''s own time, but never after logged_at.';
COMMENT ON COLUMN failure_resolution.logged_at IS 'Log time of the first delivery.';
COMMENT ON COLUMN failure_resolution.log_partition IS 'Partition of run-events.';
COMMENT ON COLUMN failure_resolution.log_offset IS 'Offset of the first delivery.';

-- ---------------------------------------------------------------- resolutions by runs

CREATE TABLE task_completion (
    project_key text        NOT NULL,
    task_id     text        NOT NULL,
    run_id      uuid        NOT NULL,
    ended_at    timestamptz NOT NULL,
    PRIMARY KEY (project_key, task_id, run_id)
);
CREATE INDEX task_completion_ended ON task_completion (project_key, task_id, ended_at, run_id);
CREATE INDEX task_completion_run ON task_completion (project_key, run_id);

COMMENT ON TABLE task_completion IS 'Completed runs by task. A run is of a task if it was started with it, or recorded a failure of it.';
COMMENT ON COLUMN task_completion.project_key IS 'Project of the run.';
COMMENT ON COLUMN task_completion.task_id IS 'Task the run completed.';
COMMENT ON COLUMN task_completion.run_id IS 'The run, as in agent_run.';
COMMENT ON COLUMN task_completion.ended_at IS 'Its end, as in agent_run.';

CREATE TABLE failure_task (
    project_key        text        NOT NULL,
    fingerprint        text        NOT NULL,
    task_id            text        NOT NULL,
    first_failed_at    timestamptz NOT NULL,
    last_failed_at     timestamptz NOT NULL,
    resolved_at        timestamptz,
    resolved_by_run_id uuid,
    PRIMARY KEY (project_key, fingerprint, task_id)
);
-- Two halves of one question, which rows another completed run of the task may change: all of the first, few of the second.
CREATE INDEX failure_task_unsettled ON failure_task (project_key, task_id)
    WHERE resolved_at IS NULL OR resolved_at <= last_failed_at;
CREATE INDEX failure_task_settled ON failure_task (project_key, task_id, resolved_at)
    WHERE resolved_at > last_failed_at;
CREATE INDEX failure_task_resolved
    ON failure_task (project_key, fingerprint, resolved_at DESC, resolved_by_run_id DESC) WHERE resolved_at IS NOT NULL;

COMMENT ON TABLE failure_task IS 'Tasks on which a kind of failure happened, and the completed run of the task that resolved it there.';
COMMENT ON COLUMN failure_task.project_key IS 'Project of the failures.';
COMMENT ON COLUMN failure_task.fingerprint IS 'Kind of failure.';
COMMENT ON COLUMN failure_task.task_id IS 'Task that failed so.';
COMMENT ON COLUMN failure_task.first_failed_at IS 'Earliest occurred_at of these failures.';
COMMENT ON COLUMN failure_task.last_failed_at IS 'Latest occurred_at of these failures.';
COMMENT ON COLUMN failure_task.resolved_at IS 'End of the first completed run of the task after last_failed_at; without one, of the last before it.';
COMMENT ON COLUMN failure_task.resolved_by_run_id IS 'That run.';

DROP INDEX run_failure_task;
CREATE INDEX run_failure_task ON run_failure (project_key, task_id, fingerprint, occurred_at) WHERE task_id IS NOT NULL;

-- ---------------------------------------------------------------- the state

ALTER TABLE failure_group
    ADD COLUMN resolved_at          timestamptz,
    ADD COLUMN resolved_by_run_id   uuid,
    ADD COLUMN resolved_by_event_id text,
    ADD COLUMN state                text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN resolved_at IS NULL THEN 'open' WHEN last_seen_at > resolved_at THEN 'regressed' ELSE 'resolved' END
    ) STORED;
CREATE INDEX failure_group_seen ON failure_group (project_key, last_seen_at DESC, fingerprint);
CREATE INDEX failure_group_state ON failure_group (project_key, state, last_seen_at DESC, fingerprint);

COMMENT ON COLUMN failure_group.resolved_at IS 'Time of the resolution in force: the latest of failure_task and failure_resolution.';
COMMENT ON COLUMN failure_group.resolved_by_run_id IS 'Run that resolved it, if a run did.';
COMMENT ON COLUMN failure_group.resolved_by_event_id IS 'Event of failure_resolution that resolved it, if one did.';
COMMENT ON COLUMN failure_group.state IS 'open: never resolved; resolved: nothing failed so since; regressed: it did.';

-- ---------------------------------------------------------------- what was written before

INSERT INTO failure_resolution
SELECT DISTINCT ON (project_key, run_id, event_id)
    project_key,
    run_id,
    event_id,
    data ->> 'fingerprint',
    agent_id,
    data ->> 'by',
    data ->> 'note',
    least(occurred_at, logged_at),
    logged_at,
    log_partition,
    log_offset
FROM run_event
WHERE type = 'runledger.failure.resolved.v1'
ORDER BY project_key, run_id, event_id, log_offset;

INSERT INTO task_completion
SELECT r.project_key, t.task_id, r.run_id, r.ended_at
FROM agent_run AS r
JOIN (
    SELECT project_key, run_id, task_id FROM agent_run WHERE task_id IS NOT NULL
    UNION
    SELECT project_key, run_id, task_id FROM run_failure WHERE task_id IS NOT NULL AND NOT detached
) AS t USING (project_key, run_id)
WHERE r.status = 'completed' AND r.ended_at IS NOT NULL;

INSERT INTO failure_task (project_key, fingerprint, task_id, first_failed_at, last_failed_at)
SELECT project_key, fingerprint, task_id, min(occurred_at), max(occurred_at)
FROM run_failure
WHERE task_id IS NOT NULL
GROUP BY project_key, fingerprint, task_id;
ANALYZE failure_resolution, task_completion, failure_task;

UPDATE failure_task AS held
SET resolved_at = chosen.ended_at, resolved_by_run_id = chosen.run_id
FROM failure_task AS t
CROSS JOIN LATERAL (
    (
        SELECT true AS after, c.ended_at, c.run_id
        FROM task_completion AS c
        WHERE c.project_key = t.project_key AND c.task_id = t.task_id AND c.ended_at > t.last_failed_at
        ORDER BY c.ended_at, c.run_id
        LIMIT 1
    )
    UNION ALL
    (
        SELECT false, c.ended_at, c.run_id
        FROM task_completion AS c
        WHERE c.project_key = t.project_key AND c.task_id = t.task_id AND c.ended_at > t.first_failed_at
        ORDER BY c.ended_at DESC, c.run_id DESC
        LIMIT 1
    )
    ORDER BY after DESC
    LIMIT 1
) AS chosen
WHERE held.project_key = t.project_key AND held.fingerprint = t.fingerprint AND held.task_id = t.task_id;

UPDATE failure_group AS held
SET resolved_at = chosen.resolved_at,
    resolved_by_run_id = chosen.run_id,
    resolved_by_event_id = chosen.event_id
FROM failure_group AS g
CROSS JOIN LATERAL (
    (
        SELECT t.resolved_at, t.resolved_by_run_id AS run_id, NULL::text AS event_id
        FROM failure_task AS t
        WHERE t.project_key = g.project_key AND t.fingerprint = g.fingerprint AND t.resolved_at IS NOT NULL
        ORDER BY t.resolved_at DESC, t.resolved_by_run_id DESC
        LIMIT 1
    )
    UNION ALL
    (
        SELECT r.resolved_at, NULL, r.event_id
        FROM failure_resolution AS r
        WHERE r.project_key = g.project_key AND r.fingerprint = g.fingerprint
        ORDER BY r.resolved_at DESC, r.event_id DESC, r.run_id DESC
        LIMIT 1
    )
    ORDER BY resolved_at DESC, event_id NULLS LAST
    LIMIT 1
) AS chosen
WHERE held.project_key = g.project_key AND held.fingerprint = g.fingerprint;

GRANT SELECT ON failure_resolution, failure_task, task_completion TO runledger_read;
