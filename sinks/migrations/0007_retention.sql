-- What is left of runs that the tables hold no more, so that prune, erasure and verify know of them (docs/retention.md),
-- and where run events stood that the database refused at first.

-- ---------------------------------------------------------------- pruned

CREATE TABLE pruned_run (
    project_key text        NOT NULL,
    run_id      uuid        NOT NULL,
    agent_id    text        NOT NULL,
    pruned_at   timestamptz NOT NULL DEFAULT now(),
    late_events boolean     NOT NULL DEFAULT false,
    PRIMARY KEY (project_key, run_id)
);
CREATE INDEX pruned_run_late ON pruned_run (project_key, agent_id) WHERE late_events;

COMMENT ON TABLE pruned_run IS 'Runs that were pruned: what comes of them afterwards makes no row.';
COMMENT ON COLUMN pruned_run.project_key IS 'Project of the run.';
COMMENT ON COLUMN pruned_run.run_id IS 'The run.';
COMMENT ON COLUMN pruned_run.agent_id IS 'Its agent, as in agent_run_log.';
COMMENT ON COLUMN pruned_run.pruned_at IS 'When its rows were deleted.';
COMMENT ON COLUMN pruned_run.late_events IS 'It was heard of again since.';

CREATE TABLE pruned_agent (
    project_key   text        NOT NULL,
    agent_id      text        NOT NULL,
    runs          bigint      NOT NULL,
    last_ended_at timestamptz NOT NULL,
    last_run_at   timestamptz NOT NULL,
    PRIMARY KEY (project_key, agent_id)
);

COMMENT ON TABLE pruned_agent IS 'What was pruned of each agent: agent_health counts these runs on.';
COMMENT ON COLUMN pruned_agent.project_key IS 'Project of the agent.';
COMMENT ON COLUMN pruned_agent.agent_id IS 'The agent.';
COMMENT ON COLUMN pruned_agent.runs IS 'Rows of agent_run_log that were deleted.';
COMMENT ON COLUMN pruned_agent.last_ended_at IS 'The latest ended_at among them; streaks up to then cannot be recounted.';
COMMENT ON COLUMN pruned_agent.last_run_at IS 'The latest run_at among them.';

CREATE TABLE pruned_rollup (
    project_key text        NOT NULL,
    quarter     timestamptz NOT NULL,
    runs        bigint      NOT NULL,
    success     bigint      NOT NULL,
    partial     bigint      NOT NULL,
    failed      bigint      NOT NULL,
    scored      bigint      NOT NULL,
    score_sum   numeric     NOT NULL,
    PRIMARY KEY (project_key, quarter)
);

COMMENT ON TABLE pruned_rollup IS 'How much of run_rollup counts runs that were pruned: figures stay when rows go.';
COMMENT ON COLUMN pruned_rollup.project_key IS 'Project of the runs.';
COMMENT ON COLUMN pruned_rollup.quarter IS 'Start of the quarter of an hour, as in run_rollup.';
COMMENT ON COLUMN pruned_rollup.runs IS 'Rows of agent_run_log that were deleted.';
COMMENT ON COLUMN pruned_rollup.success IS 'Those of them whose status was success.';
COMMENT ON COLUMN pruned_rollup.partial IS 'Those of them whose status was partial.';
COMMENT ON COLUMN pruned_rollup.failed IS 'Those of them whose status was failed.';
COMMENT ON COLUMN pruned_rollup.scored IS 'Those of them that had a score.';
COMMENT ON COLUMN pruned_rollup.score_sum IS 'Sum of these scores.';

ALTER TABLE project ADD COLUMN pruned_before timestamptz;
COMMENT ON COLUMN project.pruned_before IS 'What was logged before this is pruned, but for what had to stay; NULL where nothing ever was.';
GRANT UPDATE (pruned_before) ON project TO runledger_write;

ALTER TABLE agent ADD COLUMN heard_at timestamptz;
COMMENT ON COLUMN agent.heard_at IS 'Log time of the last event of its runs that were pruned or erased; NULL where none was.';

-- A run stays as long as it is what resolved a kind of failure.
CREATE INDEX failure_task_resolver ON failure_task (project_key, resolved_by_run_id) WHERE resolved_by_run_id IS NOT NULL;

-- Both row by row through keys, so that a batch costs the same whatever the tables hold.
CREATE VIEW prunable_run AS
SELECT r.project_key, r.run_id, r.row_id, r.heard_at, r.last_logged_at
FROM agent_run AS r
WHERE r.status <> 'running'
  AND (
      SELECT true FROM agent_run_log AS l WHERE l.id = r.row_id AND l.revision >= r.outcome_revision LIMIT 1
  )
  AND (
      SELECT true
      FROM failure_task AS t
      WHERE t.project_key = r.project_key AND t.resolved_by_run_id = r.run_id
      LIMIT 1
  ) IS NULL;
COMMENT ON VIEW prunable_run IS 'Runs that prune deletes once they are old enough: ended, logged, and no kind of failure is resolved by them.';

CREATE VIEW prunable_event AS
SELECT e.log_day, e.log_partition, e.log_offset, e.logged_at, e.project_key
FROM run_event AS e
WHERE CASE e.type
    WHEN 'runledger.run.erased.v1' THEN true
    WHEN 'runledger.failure.resolved.v1' THEN (
        SELECT true
        FROM failure_resolution AS w
        WHERE w.project_key = e.project_key AND w.run_id = e.run_id AND w.event_id = e.event_id
        LIMIT 1
    ) IS NULL
    WHEN 'runledger.failure.recorded.v1' THEN (
        SELECT true
        FROM run_failure AS f
        WHERE f.project_key = e.project_key AND f.run_id = e.run_id AND f.event_id = e.event_id
        LIMIT 1
    ) IS NULL AND (
        (e.data ->> 'detached')::boolean IS TRUE
        OR (
            SELECT true FROM agent_run AS r WHERE r.project_key = e.project_key AND r.run_id = e.run_id LIMIT 1
        ) IS NULL
    )
    ELSE (
        SELECT true FROM pruned_run AS p WHERE p.project_key = e.project_key AND p.run_id = e.run_id LIMIT 1
    ) OR (
        SELECT true
        FROM erased_run AS x
        WHERE x.project_key = e.project_key AND x.run_id = e.run_id AND e.logged_at <= x.erased_at
        LIMIT 1
    ) IS TRUE
END;
COMMENT ON VIEW prunable_event IS 'Rows of run_event that no other row needs: prune deletes them once they are old enough.';

-- ---------------------------------------------------------------- events refused at first

CREATE TABLE refused_event (
    log_partition integer     NOT NULL,
    log_offset    bigint      NOT NULL,
    logged_at     timestamptz NOT NULL,
    project_key   text        NOT NULL,
    run_id        uuid        NOT NULL,
    event_id      text        NOT NULL,
    PRIMARY KEY (log_partition, log_offset, logged_at)
);
CREATE INDEX refused_event_run ON refused_event (project_key, run_id, event_id);

COMMENT ON TABLE refused_event IS 'Deliveries that the database refused. The processors counted them there, wherever they stand when replayed.';
COMMENT ON COLUMN refused_event.log_partition IS 'Partition of run-events.';
COMMENT ON COLUMN refused_event.log_offset IS 'Offset in that partition.';
COMMENT ON COLUMN refused_event.logged_at IS 'Log time of that delivery.';
COMMENT ON COLUMN refused_event.project_key IS 'Project of the run.';
COMMENT ON COLUMN refused_event.run_id IS 'The run.';
COMMENT ON COLUMN refused_event.event_id IS 'Id of the event.';

-- ---------------------------------------------------------------- where the tables begin

ALTER TABLE consumer_offset ADD COLUMN first_offset bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN consumer_offset.first_offset IS 'The tables hold nothing before this offset; 0 unless a position was set by hand.';

-- ---------------------------------------------------------------- rights

GRANT SELECT ON pruned_agent, pruned_rollup, pruned_run, refused_event TO runledger_read;
GRANT SELECT, INSERT, UPDATE, DELETE ON pruned_agent, pruned_rollup, pruned_run, refused_event TO runledger_write;
GRANT SELECT ON prunable_event, prunable_run TO runledger_write;
GRANT DELETE ON agent, agent_health, incident, run_rollup TO runledger_write;
-- Deliveries go with their incidents.
GRANT SELECT (incident_id, project_key), DELETE ON webhook_delivery TO runledger_write;
-- A day of which nothing is left is a table less; only the owner can drop one.
DO $$
BEGIN
    EXECUTE format($create$
        CREATE FUNCTION drop_run_event_day(day date) RETURNS boolean
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp
        AS $body$
        DECLARE
            name text := 'run_event_' || to_char(day, 'YYYYMMDD');
            holds boolean;
        BEGIN
            -- Of today's and yesterday's sinks remember that they are there.
            IF day >= current_date - 1 THEN
                RETURN false;
            END IF;
            PERFORM pg_advisory_xact_lock(5902317462);
            IF NOT EXISTS (
                SELECT
                FROM pg_inherits AS i
                JOIN pg_class AS c ON c.oid = i.inhrelid
                WHERE i.inhparent = '%1$I.run_event'::regclass AND c.relname = name
            ) THEN
                RETURN false;
            END IF;
            EXECUTE format('LOCK TABLE %1$I.%%I IN SHARE MODE', name);
            EXECUTE format('SELECT EXISTS (SELECT FROM %1$I.%%I)', name) INTO holds;
            IF holds THEN
                RETURN false;
            END IF;
            EXECUTE format('DROP TABLE %1$I.%%I', name);
            RETURN true;
        END
        $body$
    $create$, current_schema());
END
$$;
COMMENT ON FUNCTION drop_run_event_day (date) IS 'Drop the partition of run_event for a day before yesterday that holds nothing; else false.';
REVOKE ALL ON FUNCTION drop_run_event_day (date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_run_event_day (date) TO runledger_write;
