-- One role for each kind of work, with the tables and verbs of that work and nothing else (docs/security.md). They are
-- groups: a login of yours becomes a member of what it does. Who migrates owns the tables; no worker has to.

-- ---------------------------------------------------------------- the roles

-- Roles belong to the whole server: another database's migration may be making them just now, or has made them.
DO $$
DECLARE
    wanted  text;
    missing text[] := '{}';
BEGIN
    FOREACH wanted IN ARRAY ARRAY['runledger_access', 'runledger_keys', 'runledger_watch', 'runledger_write'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN missing := missing || wanted;
        END;
    END LOOP;
    IF missing <> '{}' THEN
        RAISE EXCEPTION 'roles are missing, and % may not create them; have an administrator run: CREATE ROLE % NOLOGIN; then migrate again',
            quote_ident(current_user), array_to_string(missing, ' NOLOGIN; CREATE ROLE ')
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;

-- ---------------------------------------------------------------- the sink and the relay

GRANT SELECT, INSERT ON
    agent, agent_health, agent_run, agent_run_log, consumer_offset, erased_run, failure_group, failure_resolution,
    failure_task, incident, project, run_event, run_failure, run_rollup, run_score, scoring_outbox, task_completion
TO runledger_write;
GRANT UPDATE ON
    agent, agent_health, agent_run, agent_run_log, consumer_offset, erased_run, failure_group, failure_task, incident,
    run_rollup, task_completion
TO runledger_write;
GRANT UPDATE (sent_at) ON scoring_outbox TO runledger_write;
-- What operators set through the log. Whether a project is public is no such thing.
GRANT UPDATE (expected_interval_seconds, deadline_seconds, silence_threshold, failure_threshold, settings_offset) ON project
TO runledger_write;
-- `runledger verify` looks whether it is empty.
GRANT SELECT ON run_event_default TO runledger_write;
-- Erasure; what moved from one group of failures, or one task, to another.
GRANT DELETE ON
    agent_run, agent_run_log, failure_group, failure_resolution, failure_task, run_event, run_failure, run_score,
    scoring_outbox, task_completion
TO runledger_write;

-- A new day of run_event is a new table, and only the owner of run_event can attach one. So the owner lends the sink this
-- one act: no name and no bound comes from the caller but a day, and that of a record that may exist.
DO $$
BEGIN
    EXECUTE format($create$
        CREATE FUNCTION make_run_event_day(day date) RETURNS boolean
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp
        AS $body$
        DECLARE
            name text := 'run_event_' || to_char(day, 'YYYYMMDD');
        BEGIN
            IF day NOT BETWEEN date '2020-01-01' AND current_date + 2 THEN
                RAISE EXCEPTION 'no record is of the day %%', day USING ERRCODE = 'invalid_parameter_value';
            END IF;
            PERFORM pg_advisory_xact_lock(5902317462);
            IF EXISTS (
                SELECT
                FROM pg_inherits AS i
                JOIN pg_class AS c ON c.oid = i.inhrelid
                WHERE i.inhparent = '%1$I.run_event'::regclass AND c.relname = name
            ) THEN
                RETURN false;
            END IF;
            -- Attached rather than made in place: so other writers go on meanwhile.
            EXECUTE format('CREATE TABLE %1$I.%%I (LIKE %1$I.run_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
            EXECUTE format(
                'ALTER TABLE %1$I.run_event ATTACH PARTITION %1$I.%%I FOR VALUES FROM (%%L) TO (%%L)', name, day, day + 1
            );
            RETURN true;
        END
        $body$
    $create$, current_schema());
END
$$;
COMMENT ON FUNCTION make_run_event_day (date) IS 'Make the partition of run_event for a day of logged_at; false where it is there.';
REVOKE ALL ON FUNCTION make_run_event_day (date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_run_event_day (date) TO runledger_write;

-- ---------------------------------------------------------------- the watch

GRANT SELECT ON consumer_offset, incident, webhook TO runledger_watch;
-- It counts the runs that are open.
GRANT SELECT (status) ON agent_run TO runledger_watch;
GRANT SELECT, INSERT, UPDATE, DELETE ON pipeline_span TO runledger_watch;
GRANT SELECT, INSERT, UPDATE ON webhook_delivery TO runledger_watch;

-- ---------------------------------------------------------------- API keys

-- Doors look a key up by its public half; what they read of it is a hash.
GRANT SELECT (key_id, key_hash, project_key, scopes, revoked_at) ON api_key TO runledger_keys;

-- Operators: `runledger project` and `runledger project webhook`.
GRANT SELECT, INSERT ON api_key, project TO runledger_access;
GRANT UPDATE (revoked_at) ON api_key TO runledger_access;
GRANT UPDATE (name, is_public) ON project TO runledger_access;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook TO runledger_access;
GRANT SELECT, UPDATE (given_up_at, last_error) ON webhook_delivery TO runledger_access;
