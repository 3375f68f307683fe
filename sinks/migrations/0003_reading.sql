-- What readers need: figures that cost the same at ten rows and at ten million, when an agent was last heard, what
-- operators set, how far the pipeline has come, and a role that may read and nothing else.

-- ---------------------------------------------------------------- last heard

ALTER TABLE agent_run ADD COLUMN heard_at timestamptz;
UPDATE agent_run SET heard_at = last_logged_at;
-- Of repeated deliveries the first counts, and what came after the run had left memory is not told here.
UPDATE agent_run AS run
SET heard_at = heard.at
FROM (
    SELECT project_key, run_id, max(first_at) AS at
    FROM (
        SELECT e.project_key, e.run_id, min(e.logged_at) AS first_at
        FROM agent_run AS r
        JOIN run_event AS e ON e.project_key = r.project_key AND e.run_id = r.run_id AND e.log_offset < r.version
        WHERE r.timed_out AND e.type NOT IN ('runledger.run.timed_out.v1', 'runledger.failure.resolved.v1')
        GROUP BY e.project_key, e.run_id, e.event_id
    ) AS delivered
    GROUP BY project_key, run_id
) AS heard
WHERE run.project_key = heard.project_key AND run.run_id = heard.run_id;
ALTER TABLE agent_run ALTER COLUMN heard_at SET NOT NULL;
COMMENT ON COLUMN agent_run.heard_at IS 'Log time of the last event that the agent itself sent: a timeout inferred by us is none.';

DROP INDEX agent_run_agent;
DROP INDEX agent_run_status;
CREATE INDEX agent_run_agent ON agent_run (project_key, agent_id, heard_at DESC, run_id DESC);
CREATE INDEX agent_run_heard ON agent_run (project_key, heard_at DESC, run_id DESC);
CREATE INDEX agent_run_running ON agent_run (project_key, heard_at DESC, run_id DESC) WHERE status = 'running';
CREATE INDEX agent_run_log_created ON agent_run_log (project_key, created_at DESC, id DESC);

-- ---------------------------------------------------------------- figures by quarter of an hour

-- Quarters, because days begin on them in every time zone of today, at +05:30 and +05:45 too. By created_at, because the
-- day's count is defined by it (Agent Run Log, "tasks_completed_today").
CREATE TABLE run_rollup (
    project_key text        NOT NULL,
    quarter     timestamptz NOT NULL,
    shard       integer     NOT NULL,
    runs        bigint      NOT NULL,
    success     bigint      NOT NULL,
    partial     bigint      NOT NULL,
    failed      bigint      NOT NULL,
    scored      bigint      NOT NULL,
    score_sum   numeric     NOT NULL,
    PRIMARY KEY (project_key, quarter, shard)
);

COMMENT ON TABLE run_rollup IS 'Rows of agent_run_log counted by quarter of an hour of created_at: public figures read this, whatever the ledger''s size.';
COMMENT ON COLUMN run_rollup.project_key IS 'Project of the runs.';
COMMENT ON COLUMN run_rollup.quarter IS 'Start of the quarter of an hour.';
COMMENT ON COLUMN run_rollup.shard IS 'Partition of run-log: writers of two partitions never wait for one row.';
COMMENT ON COLUMN run_rollup.runs IS 'Finished runs; the sum of the three statuses.';
COMMENT ON COLUMN run_rollup.success IS 'Runs whose status is success.';
COMMENT ON COLUMN run_rollup.partial IS 'Runs whose status is partial.';
COMMENT ON COLUMN run_rollup.failed IS 'Runs whose status is failed.';
COMMENT ON COLUMN run_rollup.scored IS 'Runs that have a score.';
COMMENT ON COLUMN run_rollup.score_sum IS 'Sum of their overall scores, exact.';

INSERT INTO run_rollup
SELECT
    project_key,
    date_bin('15 minutes', created_at, '2000-01-01 00:00:00+00'),
    coalesce(log_partition, 0),
    count(*),
    count(*) FILTER (WHERE status = 'success'),
    count(*) FILTER (WHERE status = 'partial'),
    count(*) FILTER (WHERE status = 'failed'),
    count(rlhf_scores ->> 'overall'),
    coalesce(sum((rlhf_scores ->> 'overall')::numeric), 0)
FROM agent_run_log
WHERE created_at IS NOT NULL
GROUP BY 1, 2, 3;
DROP TABLE run_rollup_hour;

-- ---------------------------------------------------------------- what operators set

ALTER TABLE project
    ADD COLUMN is_public                 boolean,
    ADD COLUMN expected_interval_seconds integer,
    ADD COLUMN deadline_seconds          integer,
    ADD COLUMN silence_threshold         integer,
    ADD COLUMN failure_threshold         integer,
    ADD COLUMN settings_offset           bigint;
COMMENT ON COLUMN project.is_public IS 'Whether its figures and cards may be shown to anybody; NULL: nobody has decided, so they are not.';
COMMENT ON COLUMN project.expected_interval_seconds IS 'How often its agents report, unless their own row says.';
COMMENT ON COLUMN project.deadline_seconds IS 'How long a run may go without an event, unless the agent''s own row says.';
COMMENT ON COLUMN project.silence_threshold IS 'Silent runs in a row that open an incident, unless the agent''s own row says.';
COMMENT ON COLUMN project.failure_threshold IS 'Failing streak that opens an incident, unless the agent''s own row says.';
COMMENT ON COLUMN project.settings_offset IS 'Offset in the topic settings of the record these come from.';

ALTER TABLE agent
    ADD COLUMN deadline_seconds  integer,
    ADD COLUMN silence_threshold integer,
    ADD COLUMN failure_threshold integer,
    ADD COLUMN retired           boolean NOT NULL DEFAULT false,
    ADD COLUMN settings_offset   bigint;
COMMENT ON COLUMN agent.deadline_seconds IS 'How long a run of it may go without an event.';
COMMENT ON COLUMN agent.silence_threshold IS 'Silent runs in a row that open an incident.';
COMMENT ON COLUMN agent.failure_threshold IS 'Failing streak that opens an incident.';
COMMENT ON COLUMN agent.retired IS 'It is not expected to report any more.';
COMMENT ON COLUMN agent.settings_offset IS 'Offset in the topic settings of the record these come from.';

-- ---------------------------------------------------------------- how far the pipeline has come

CREATE TABLE pipeline_span (
    began_at   timestamptz PRIMARY KEY,
    reached_at timestamptz NOT NULL CHECK (reached_at >= began_at)
);
COMMENT ON TABLE pipeline_span IS 'Times during which the pipeline is known to have listened and kept up; between two spans it was down or behind.';
COMMENT ON COLUMN pipeline_span.began_at IS 'Start of the span, log time.';
COMMENT ON COLUMN pipeline_span.reached_at IS 'Watermark: all that was logged up to then stands in the tables.';

-- ---------------------------------------------------------------- webhooks

-- When a row was told and changed, by the database's clock: what is sent is found by them.
ALTER TABLE incident
    ADD COLUMN told_at    timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX incident_changed ON incident (changed_at);
COMMENT ON COLUMN incident.told_at IS 'When the sink first wrote this row.';
COMMENT ON COLUMN incident.changed_at IS 'When the sink last changed it.';

CREATE TABLE webhook (
    project_key text        PRIMARY KEY REFERENCES project,
    url         text        NOT NULL,
    secret      bytea       NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE webhook IS 'Where a project wants its incidents sent.';
COMMENT ON COLUMN webhook.project_key IS 'The project.';
COMMENT ON COLUMN webhook.url IS 'Address that is posted to.';
COMMENT ON COLUMN webhook.secret IS 'Key of the signature; kept as it is, for each delivery is signed with it.';
COMMENT ON COLUMN webhook.created_at IS 'When it was set: what happened before is not sent.';

CREATE TABLE webhook_delivery (
    incident_id     uuid        NOT NULL,
    state           text        NOT NULL,
    project_key     text        NOT NULL,
    attempts        integer     NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now(),
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    delivered_at    timestamptz,
    given_up_at     timestamptz,
    last_error      text,
    PRIMARY KEY (incident_id, state)
);
-- By project, so that one whose receiver is away delays no other.
CREATE INDEX webhook_delivery_due ON webhook_delivery (project_key, next_attempt_at)
    WHERE delivered_at IS NULL AND given_up_at IS NULL;
CREATE INDEX webhook_delivery_project ON webhook_delivery (project_key, created_at DESC);
COMMENT ON TABLE webhook_delivery IS 'One row per incident and state that is to be told, or was.';
COMMENT ON COLUMN webhook_delivery.incident_id IS 'The incident.';
COMMENT ON COLUMN webhook_delivery.state IS 'open or recovered: what is told of it.';
COMMENT ON COLUMN webhook_delivery.project_key IS 'Its project.';
COMMENT ON COLUMN webhook_delivery.attempts IS 'Attempts made.';
COMMENT ON COLUMN webhook_delivery.created_at IS 'When it became due first.';
COMMENT ON COLUMN webhook_delivery.next_attempt_at IS 'When it is due next.';
COMMENT ON COLUMN webhook_delivery.delivered_at IS 'When the receiver said that it has it.';
COMMENT ON COLUMN webhook_delivery.given_up_at IS 'When the last attempt had failed.';
COMMENT ON COLUMN webhook_delivery.last_error IS 'Why the latest attempt failed.';

-- ---------------------------------------------------------------- who may read

-- Roles belong to the whole server: another database's migration may be making this one, or joining it, just now.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'runledger_read') THEN
        CREATE ROLE runledger_read NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role runledger_read is missing, and % may not create it; have an administrator run: CREATE ROLE runledger_read NOLOGIN; GRANT runledger_read TO %; then migrate again',
            quote_ident(current_user), quote_ident(current_user) USING ERRCODE = 'insufficient_privilege';
END
$$;
DO $$
BEGIN
    -- Who creates a role without being a superuser administers it, but may not become it unless told so. Before PostgreSQL
    -- 16 every member might.
    IF NOT pg_has_role(
        current_user,
        'runledger_read',
        CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET' END
    ) THEN
        EXECUTE format('GRANT runledger_read TO %I', current_user);
    END IF;
EXCEPTION
    WHEN unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION '% is no member of the role runledger_read; have an administrator run: GRANT runledger_read TO %; then migrate again',
            quote_ident(current_user), quote_ident(current_user) USING ERRCODE = 'insufficient_privilege';
END
$$;
GRANT SELECT ON
    agent, agent_health, agent_run, agent_run_log, consumer_offset, erased_run, failure_group, incident, pipeline_span,
    project, run_event, run_failure, run_rollup, run_score, webhook_delivery
TO runledger_read;
