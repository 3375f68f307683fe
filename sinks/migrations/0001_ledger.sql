-- The ledger's tables. Everything here is derived from the topics; only sinks/writer.py writes it.

-- ---------------------------------------------------------------- runs

CREATE TABLE agent_run (
    project_key          text           NOT NULL,
    run_id               uuid           NOT NULL,
    row_id               uuid           NOT NULL UNIQUE,
    log_partition        integer        NOT NULL,
    born_offset          bigint         NOT NULL,
    version              bigint         NOT NULL,
    late_events          boolean        NOT NULL DEFAULT false,
    last_logged_at       timestamptz    NOT NULL,
    kind                 text           NOT NULL,
    status               text           NOT NULL,
    agent_id             text,
    started_at           timestamptz,
    start_event_id       text,
    summary              text,
    parent_run_id        uuid,
    task_id              text,
    ended_at             timestamptz,
    end_event_id         text,
    end_summary          text,
    end_logged_at        timestamptz,
    outcome              text,
    actions_taken        jsonb,
    last_occurred_at     timestamptz,
    input_tokens         bigint,
    output_tokens        bigint,
    total_tokens         bigint,
    cost_usd             numeric(20, 10),
    llm_calls            bigint,
    cache_read_tokens    bigint,
    cache_write_tokens   bigint,
    reasoning_tokens     bigint,
    cost_source          text           NOT NULL,
    reported             jsonb          NOT NULL,
    reported_cost_source text           NOT NULL,
    final                jsonb,
    final_cost_source    text           NOT NULL,
    usage_mismatch       boolean        NOT NULL,
    models               text[]         NOT NULL,
    events               bigint         NOT NULL,
    failures             bigint         NOT NULL,
    traces               bigint         NOT NULL,
    inferred             boolean        NOT NULL,
    timed_out            boolean        NOT NULL,
    end_conflict         boolean        NOT NULL,
    clock_clamped        boolean        NOT NULL,
    outcome_revision     integer        NOT NULL,
    PRIMARY KEY (project_key, run_id)
);
CREATE INDEX agent_run_agent ON agent_run (project_key, agent_id, last_logged_at DESC);
CREATE INDEX agent_run_status ON agent_run (project_key, status, last_logged_at DESC);
CREATE INDEX agent_run_parent ON agent_run (project_key, parent_run_id) WHERE parent_run_id IS NOT NULL;
CREATE INDEX agent_run_task ON agent_run (project_key, task_id) WHERE task_id IS NOT NULL;

COMMENT ON TABLE agent_run IS 'One row per run: its newest snapshot from the topic runs. NULL means unknown, never 0.';
COMMENT ON COLUMN agent_run.project_key IS 'Project; stands in every key, so the same run_id in two projects is two runs.';
COMMENT ON COLUMN agent_run.run_id IS 'Run, as its agent names it.';
COMMENT ON COLUMN agent_run.row_id IS 'uuid5 of project and run: the id of the run''s row in agent_run_log.';
COMMENT ON COLUMN agent_run.log_partition IS 'Partition of run-events (and of runs) in which the run lives.';
COMMENT ON COLUMN agent_run.born_offset IS 'Offset in run-events of the event that began this life of the run.';
COMMENT ON COLUMN agent_run.version IS 'Offset in run-events of the last event applied, plus 1; only grows.';
COMMENT ON COLUMN agent_run.late_events IS 'Events came after the run had left the processor''s memory; they changed no total here.';
COMMENT ON COLUMN agent_run.last_logged_at IS 'Log time of the last event applied.';
COMMENT ON COLUMN agent_run.kind IS 'lifecycle, record or log: how the run was reported.';
COMMENT ON COLUMN agent_run.status IS 'running, completed, failed or interrupted.';
COMMENT ON COLUMN agent_run.agent_id IS 'Agent, as named by the earliest event that names one.';
COMMENT ON COLUMN agent_run.started_at IS 'The agent''s own time of its start.';
COMMENT ON COLUMN agent_run.start_event_id IS 'Event that tells the start.';
COMMENT ON COLUMN agent_run.summary IS 'What the run meant to do.';
COMMENT ON COLUMN agent_run.parent_run_id IS 'Run that started this one.';
COMMENT ON COLUMN agent_run.task_id IS 'Task the run worked on.';
COMMENT ON COLUMN agent_run.ended_at IS 'The agent''s own time of the end in force; of a timeout: of the last event before it.';
COMMENT ON COLUMN agent_run.end_event_id IS 'Event that tells the end in force.';
COMMENT ON COLUMN agent_run.end_summary IS 'What came of the run.';
COMMENT ON COLUMN agent_run.end_logged_at IS 'Log time of the first end; never changes.';
COMMENT ON COLUMN agent_run.outcome IS 'success, partial or failed; NULL while running.';
COMMENT ON COLUMN agent_run.actions_taken IS 'What the run says it did.';
COMMENT ON COLUMN agent_run.last_occurred_at IS 'Newest of the agent''s own times.';
COMMENT ON COLUMN agent_run.input_tokens IS 'Input tokens used, cached ones included: final where given, else the sum of the reports.';
COMMENT ON COLUMN agent_run.output_tokens IS 'Output tokens used, reasoning included.';
COMMENT ON COLUMN agent_run.total_tokens IS 'Tokens used in all.';
COMMENT ON COLUMN agent_run.cost_usd IS 'Cost in US dollars.';
COMMENT ON COLUMN agent_run.llm_calls IS 'Calls of language models.';
COMMENT ON COLUMN agent_run.cache_read_tokens IS 'Input tokens read from a cache.';
COMMENT ON COLUMN agent_run.cache_write_tokens IS 'Input tokens written to a cache.';
COMMENT ON COLUMN agent_run.reasoning_tokens IS 'Output tokens spent on reasoning.';
COMMENT ON COLUMN agent_run.cost_source IS 'reported, estimated, mixed or unknown: where cost_usd comes from.';
COMMENT ON COLUMN agent_run.reported IS 'Sum of the usage reports.';
COMMENT ON COLUMN agent_run.reported_cost_source IS 'Where the cost in "reported" comes from.';
COMMENT ON COLUMN agent_run.final IS 'Absolute usage told with the end in force.';
COMMENT ON COLUMN agent_run.final_cost_source IS 'Where the cost in "final" comes from.';
COMMENT ON COLUMN agent_run.usage_mismatch IS 'The final usage is below the sum of the reports in some field.';
COMMENT ON COLUMN agent_run.models IS 'Models the run used.';
COMMENT ON COLUMN agent_run.events IS 'Events applied, each once.';
COMMENT ON COLUMN agent_run.failures IS 'Failures recorded within the run.';
COMMENT ON COLUMN agent_run.traces IS 'Trace entries reported.';
COMMENT ON COLUMN agent_run.inferred IS 'The end in force was inferred by a timeout.';
COMMENT ON COLUMN agent_run.timed_out IS 'A timeout was inferred at some time, even if an explicit end came later.';
COMMENT ON COLUMN agent_run.end_conflict IS 'Two ends tell different statuses; the earlier one is in force.';
COMMENT ON COLUMN agent_run.clock_clamped IS 'An event came from more than five minutes ahead and was set to log time.';
COMMENT ON COLUMN agent_run.outcome_revision IS 'Revision of the outcome last emitted; 0 while none was.';

-- ---------------------------------------------------------------- agent run log

CREATE TABLE agent_run_log (
    id                        UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    agent_id                  VARCHAR(255) NOT NULL,
    run_at                    TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    action_summary            TEXT,
    actions_taken             JSONB DEFAULT '{}',
    status                    VARCHAR(32) NOT NULL DEFAULT 'success',
    consecutive_silence_count INT NOT NULL DEFAULT 0,
    rlhf_scores               JSONB DEFAULT NULL,
    created_at                TIMESTAMPTZ DEFAULT NOW(),
    project_key               text NOT NULL,
    run_id                    uuid NOT NULL,
    consecutive_failure_count integer NOT NULL DEFAULT 0,
    revision                  integer NOT NULL DEFAULT 1,
    kind                      text,
    run_status                text,
    inferred                  boolean NOT NULL DEFAULT false,
    silent                    boolean,
    ended_at                  timestamptz,
    late                      boolean NOT NULL DEFAULT false,
    log_partition             integer,
    log_offset                bigint,
    UNIQUE (project_key, run_id)
);
CREATE INDEX idx_agent_run_log_agent_id ON agent_run_log(agent_id);
CREATE INDEX idx_agent_run_log_created_at ON agent_run_log(created_at DESC);
CREATE INDEX idx_agent_run_log_status ON agent_run_log(status);
CREATE INDEX idx_agent_run_log_agent_created ON agent_run_log(agent_id, created_at DESC);
CREATE INDEX agent_run_log_agent_ended ON agent_run_log (project_key, agent_id, ended_at, run_id);

COMMENT ON TABLE agent_run_log IS 'One row per finished run, with its agent''s streaks up to it.';
COMMENT ON COLUMN agent_run_log.id IS 'uuid5 of project and run: a replay finds the same row.';
COMMENT ON COLUMN agent_run_log.agent_id IS 'Which agent produced this run.';
COMMENT ON COLUMN agent_run_log.run_at IS 'Log time of the run''s first end; never changes.';
COMMENT ON COLUMN agent_run_log.action_summary IS 'actions_taken["summary"] where it is text.';
COMMENT ON COLUMN agent_run_log.actions_taken IS 'Everything the agent reported.';
COMMENT ON COLUMN agent_run_log.status IS 'success, partial or failed.';
COMMENT ON COLUMN agent_run_log.consecutive_silence_count IS 'Silent runs in a row up to and including this one, in the order of ended_at.';
COMMENT ON COLUMN agent_run_log.rlhf_scores IS 'overall, dimensions, rubric, scorer, scored_at; NULL until scored.';
COMMENT ON COLUMN agent_run_log.created_at IS 'When the row was inserted.';
COMMENT ON COLUMN agent_run_log.project_key IS 'Project of the run.';
COMMENT ON COLUMN agent_run_log.run_id IS 'The run, as in agent_run.';
COMMENT ON COLUMN agent_run_log.consecutive_failure_count IS 'Failing streak up to and including this run.';
COMMENT ON COLUMN agent_run_log.revision IS 'Revision of the outcome this row tells.';
COMMENT ON COLUMN agent_run_log.kind IS 'lifecycle, record or log: how the run was reported.';
COMMENT ON COLUMN agent_run_log.run_status IS 'completed, failed or interrupted.';
COMMENT ON COLUMN agent_run_log.inferred IS 'The end was inferred by a timeout.';
COMMENT ON COLUMN agent_run_log.silent IS 'The run shows no meaningful output.';
COMMENT ON COLUMN agent_run_log.ended_at IS 'The agent''s own time of the end.';
COMMENT ON COLUMN agent_run_log.late IS 'Ended before the last 32 runs of its agent were: streaks unknown, written as 0.';
COMMENT ON COLUMN agent_run_log.log_partition IS 'Partition of run-log the row comes from.';
COMMENT ON COLUMN agent_run_log.log_offset IS 'Offset in run-log of the revision in force.';

CREATE TABLE run_rollup_hour (
    project_key text        NOT NULL,
    agent_id    text        NOT NULL,
    hour        timestamptz NOT NULL,
    shard       integer     NOT NULL,
    runs        bigint      NOT NULL,
    success     bigint      NOT NULL,
    partial     bigint      NOT NULL,
    failed      bigint      NOT NULL,
    PRIMARY KEY (project_key, agent_id, hour, shard)
);
CREATE INDEX run_rollup_hour_hour ON run_rollup_hour (hour);

COMMENT ON TABLE run_rollup_hour IS 'Rows of agent_run_log counted by hour of run_at: public figures read this, whatever the ledger''s size.';
COMMENT ON COLUMN run_rollup_hour.project_key IS 'Project of the runs.';
COMMENT ON COLUMN run_rollup_hour.agent_id IS 'Agent of the runs.';
COMMENT ON COLUMN run_rollup_hour.hour IS 'Start of the hour, UTC.';
COMMENT ON COLUMN run_rollup_hour.shard IS 'Partition of run-log: writers of two partitions never wait for one row.';
COMMENT ON COLUMN run_rollup_hour.runs IS 'Finished runs; the sum of the three statuses.';
COMMENT ON COLUMN run_rollup_hour.success IS 'Runs whose status is success.';
COMMENT ON COLUMN run_rollup_hour.partial IS 'Runs whose status is partial.';
COMMENT ON COLUMN run_rollup_hour.failed IS 'Runs whose status is failed.';

-- ---------------------------------------------------------------- agents

CREATE TABLE agent_health (
    project_key               text        NOT NULL,
    agent_id                  text        NOT NULL,
    version                   bigint      NOT NULL,
    last_logged_at            timestamptz NOT NULL,
    last_ended_at             timestamptz,
    last_status               text,
    finished_runs             bigint      NOT NULL,
    consecutive_silence_count integer     NOT NULL,
    consecutive_failure_count integer     NOT NULL,
    PRIMARY KEY (project_key, agent_id)
);

COMMENT ON TABLE agent_health IS 'One row per agent: its newest state from the topic agents.';
COMMENT ON COLUMN agent_health.project_key IS 'Project of the agent.';
COMMENT ON COLUMN agent_health.agent_id IS 'The agent.';
COMMENT ON COLUMN agent_health.version IS 'Offset in run-outcomes of the last outcome applied, plus 1; only grows.';
COMMENT ON COLUMN agent_health.last_logged_at IS 'Log time of the last outcome.';
COMMENT ON COLUMN agent_health.last_ended_at IS 'The agent''s own time of its latest end.';
COMMENT ON COLUMN agent_health.last_status IS 'Status of the run that ended last.';
COMMENT ON COLUMN agent_health.finished_runs IS 'Runs finished, each once.';
COMMENT ON COLUMN agent_health.consecutive_silence_count IS 'Silent runs in a row, up to now.';
COMMENT ON COLUMN agent_health.consecutive_failure_count IS 'Failing streak, up to now.';

CREATE TABLE project (
    project_key text        PRIMARY KEY,
    name        text,
    created_at  timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE project IS 'Projects the ledger has heard of.';
COMMENT ON COLUMN project.project_key IS 'Key of the project, [a-z0-9_-]{1,64}.';
COMMENT ON COLUMN project.name IS 'Name for people.';
COMMENT ON COLUMN project.created_at IS 'When the row was inserted.';

CREATE TABLE api_key (
    key_id      uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    project_key text        NOT NULL REFERENCES project,
    key_hash    bytea       NOT NULL UNIQUE,
    label       text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    revoked_at  timestamptz
);
CREATE INDEX api_key_project ON api_key (project_key);

COMMENT ON TABLE api_key IS 'Credentials of a project; the key itself is never stored.';
COMMENT ON COLUMN api_key.key_id IS 'Name of the key for people and logs.';
COMMENT ON COLUMN api_key.project_key IS 'Project the key speaks for.';
COMMENT ON COLUMN api_key.key_hash IS 'Hash of the key.';
COMMENT ON COLUMN api_key.label IS 'What the key is for.';
COMMENT ON COLUMN api_key.created_at IS 'When the key was made.';
COMMENT ON COLUMN api_key.revoked_at IS 'When the key lost its force; NULL while it has it.';

CREATE TABLE agent (
    project_key               text        NOT NULL REFERENCES project,
    agent_id                  text        NOT NULL,
    name                      text,
    role                      text,
    expected_interval_seconds integer,
    created_at                timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_key, agent_id)
);

COMMENT ON TABLE agent IS 'Agents the ledger has heard of, and what operators say of them.';
COMMENT ON COLUMN agent.project_key IS 'Project of the agent.';
COMMENT ON COLUMN agent.agent_id IS 'The agent.';
COMMENT ON COLUMN agent.name IS 'Name for people.';
COMMENT ON COLUMN agent.role IS 'What the agent is for.';
COMMENT ON COLUMN agent.expected_interval_seconds IS 'Longest silence that is no cause for alarm; NULL leaves it to the project.';
COMMENT ON COLUMN agent.created_at IS 'When the row was inserted.';

CREATE TABLE incident (
    incident_id      uuid        PRIMARY KEY,
    project_key      text        NOT NULL,
    agent_id         text        NOT NULL,
    kind             text        NOT NULL,
    state            text        NOT NULL,
    threshold        integer     NOT NULL,
    run_id           uuid        NOT NULL,
    opened_at        timestamptz NOT NULL,
    version          bigint      NOT NULL,
    recovered_at     timestamptz,
    recovered_run_id uuid
);
CREATE INDEX incident_agent ON incident (project_key, agent_id, opened_at DESC);
CREATE INDEX incident_open ON incident (project_key, kind) WHERE state = 'open';

COMMENT ON TABLE incident IS 'Streaks that reached their threshold, and their recovery.';
COMMENT ON COLUMN incident.incident_id IS 'The same however often the incident is told.';
COMMENT ON COLUMN incident.project_key IS 'Project of the agent.';
COMMENT ON COLUMN incident.agent_id IS 'The agent.';
COMMENT ON COLUMN incident.kind IS 'silent or failing.';
COMMENT ON COLUMN incident.state IS 'open or recovered.';
COMMENT ON COLUMN incident.threshold IS 'Length of the streak that opened it.';
COMMENT ON COLUMN incident.run_id IS 'Run that opened it.';
COMMENT ON COLUMN incident.opened_at IS 'When that run ended.';
COMMENT ON COLUMN incident.version IS 'Version of the agent''s state that told it; the higher one holds.';
COMMENT ON COLUMN incident.recovered_at IS 'When the run that ended the streak ended.';
COMMENT ON COLUMN incident.recovered_run_id IS 'Run that ended the streak.';

-- ---------------------------------------------------------------- audit

CREATE TABLE run_event (
    log_day       date        NOT NULL,
    log_partition integer     NOT NULL,
    log_offset    bigint      NOT NULL,
    logged_at     timestamptz NOT NULL,
    project_key   text        NOT NULL,
    run_id        uuid        NOT NULL,
    event_id      text        NOT NULL,
    type          text        NOT NULL,
    agent_id      text,
    occurred_at   timestamptz NOT NULL,
    source        text        NOT NULL,
    data          jsonb       NOT NULL,
    PRIMARY KEY (log_partition, log_offset, log_day)
) PARTITION BY RANGE (log_day);
CREATE INDEX run_event_run ON run_event (project_key, run_id, log_offset);
CREATE TABLE run_event_default PARTITION OF run_event DEFAULT;

COMMENT ON TABLE run_event IS 'Audit: every delivery of run-events, repeats included. One partition per log day.';
COMMENT ON TABLE run_event_default IS 'Stays empty: the writer makes each day''s partition first. verify reports rows found here.';
COMMENT ON COLUMN run_event.log_day IS 'Day of logged_at, UTC: the partition key.';
COMMENT ON COLUMN run_event.log_partition IS 'Partition of run-events.';
COMMENT ON COLUMN run_event.log_offset IS 'Offset in that partition.';
COMMENT ON COLUMN run_event.logged_at IS 'Log time: when the broker appended it.';
COMMENT ON COLUMN run_event.project_key IS 'Project of the run.';
COMMENT ON COLUMN run_event.run_id IS 'The run.';
COMMENT ON COLUMN run_event.event_id IS 'Id its sender gave it; a repeat has the same.';
COMMENT ON COLUMN run_event.type IS 'Type of event, as on the wire.';
COMMENT ON COLUMN run_event.agent_id IS 'Agent, where the event names one.';
COMMENT ON COLUMN run_event.occurred_at IS 'The agent''s own time, as sent.';
COMMENT ON COLUMN run_event.source IS 'Who sent it (CloudEvents source).';
COMMENT ON COLUMN run_event.data IS 'The payload, as validated.';

CREATE TABLE erased_run (
    project_key text        NOT NULL,
    run_id      uuid        NOT NULL,
    erased_at   timestamptz NOT NULL,
    PRIMARY KEY (project_key, run_id)
);

COMMENT ON TABLE erased_run IS 'Runs that were erased, so that records of them still under way are not written afterwards.';
COMMENT ON COLUMN erased_run.project_key IS 'Project of the run.';
COMMENT ON COLUMN erased_run.run_id IS 'The run.';
COMMENT ON COLUMN erased_run.erased_at IS 'Log time of the erasure; what was logged up to then is gone.';

-- ---------------------------------------------------------------- failures

CREATE TABLE run_failure (
    project_key   text        NOT NULL,
    run_id        uuid        NOT NULL,
    event_id      text        NOT NULL,
    agent_id      text,
    task_id       text,
    fingerprint   text        NOT NULL,
    summary       text        NOT NULL,
    error         text,
    context       jsonb       NOT NULL,
    meta          jsonb       NOT NULL,
    detached      boolean     NOT NULL,
    occurred_at   timestamptz NOT NULL,
    logged_at     timestamptz NOT NULL,
    log_partition integer     NOT NULL,
    log_offset    bigint      NOT NULL,
    PRIMARY KEY (project_key, run_id, event_id)
);
CREATE INDEX run_failure_group ON run_failure (project_key, fingerprint, occurred_at DESC);
CREATE INDEX run_failure_task ON run_failure (project_key, task_id) WHERE task_id IS NOT NULL;

COMMENT ON TABLE run_failure IS 'Failures recorded by agents, each once.';
COMMENT ON COLUMN run_failure.project_key IS 'Project of the run.';
COMMENT ON COLUMN run_failure.run_id IS 'Run that produced the failure.';
COMMENT ON COLUMN run_failure.event_id IS 'Event that told it.';
COMMENT ON COLUMN run_failure.agent_id IS 'Agent that failed, where the event names it.';
COMMENT ON COLUMN run_failure.task_id IS 'Task that failed.';
COMMENT ON COLUMN run_failure.fingerprint IS 'What kind of failure: the same for the same error, whatever agent meets it.';
COMMENT ON COLUMN run_failure.summary IS 'Short description.';
COMMENT ON COLUMN run_failure.error IS 'Full error.';
COMMENT ON COLUMN run_failure.context IS 'Structured context at the time.';
COMMENT ON COLUMN run_failure.meta IS 'Further facts.';
COMMENT ON COLUMN run_failure.detached IS 'No run was named; run_id is only a key.';
COMMENT ON COLUMN run_failure.occurred_at IS 'The agent''s own time, but never after logged_at.';
COMMENT ON COLUMN run_failure.logged_at IS 'Log time of the first delivery.';
COMMENT ON COLUMN run_failure.log_partition IS 'Partition of run-events.';
COMMENT ON COLUMN run_failure.log_offset IS 'Offset of the first delivery.';

CREATE TABLE failure_group (
    project_key   text        NOT NULL,
    fingerprint   text        NOT NULL,
    summary       text        NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    failure_count bigint      NOT NULL,
    PRIMARY KEY (project_key, fingerprint)
);

COMMENT ON TABLE failure_group IS 'Failures of one kind within a project.';
COMMENT ON COLUMN failure_group.project_key IS 'Project of the failures.';
COMMENT ON COLUMN failure_group.fingerprint IS 'What they have in common.';
COMMENT ON COLUMN failure_group.summary IS 'Short description of the first one.';
COMMENT ON COLUMN failure_group.first_seen_at IS 'Earliest occurred_at.';
COMMENT ON COLUMN failure_group.last_seen_at IS 'Latest occurred_at.';
COMMENT ON COLUMN failure_group.failure_count IS 'Rows of run_failure with this fingerprint.';

-- ---------------------------------------------------------------- scoring

CREATE TABLE scoring_outbox (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id     uuid        NOT NULL UNIQUE,
    row_id     uuid        NOT NULL,
    key        text        NOT NULL,
    payload    text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at    timestamptz
);
CREATE INDEX scoring_outbox_unsent ON scoring_outbox (id) WHERE sent_at IS NULL;
CREATE INDEX scoring_outbox_row ON scoring_outbox (row_id);

COMMENT ON TABLE scoring_outbox IS 'Scoring jobs, written with the row they score; the relay sends them afterwards.';
COMMENT ON COLUMN scoring_outbox.id IS 'Order of insertion; gaps are natural.';
COMMENT ON COLUMN scoring_outbox.job_id IS 'uuid5 of row id and rubric: one job per row and rubric.';
COMMENT ON COLUMN scoring_outbox.row_id IS 'Row of agent_run_log to score.';
COMMENT ON COLUMN scoring_outbox.key IS 'Kafka key, project/run_id.';
COMMENT ON COLUMN scoring_outbox.payload IS 'The job, byte for byte as it is sent.';
COMMENT ON COLUMN scoring_outbox.created_at IS 'When the row was inserted.';
COMMENT ON COLUMN scoring_outbox.sent_at IS 'When the broker had acknowledged it; NULL before.';

CREATE TABLE run_score (
    job_id      uuid             PRIMARY KEY,
    row_id      uuid             NOT NULL,
    project_key text             NOT NULL,
    run_id      uuid             NOT NULL,
    agent_id    text             NOT NULL,
    rubric      text             NOT NULL,
    scorer      text             NOT NULL,
    overall     double precision NOT NULL,
    dimensions  jsonb            NOT NULL,
    scored_at   timestamptz      NOT NULL
);
CREATE INDEX run_score_row ON run_score (row_id);
CREATE INDEX run_score_agent ON run_score (project_key, agent_id, scored_at DESC);

COMMENT ON TABLE run_score IS 'Scores of runs, the first answer to each job.';
COMMENT ON COLUMN run_score.job_id IS 'Job that was answered.';
COMMENT ON COLUMN run_score.row_id IS 'Row of agent_run_log that was scored.';
COMMENT ON COLUMN run_score.project_key IS 'Project of the run.';
COMMENT ON COLUMN run_score.run_id IS 'The run.';
COMMENT ON COLUMN run_score.agent_id IS 'Its agent.';
COMMENT ON COLUMN run_score.rubric IS 'What was judged.';
COMMENT ON COLUMN run_score.scorer IS 'Name and version of what scored it.';
COMMENT ON COLUMN run_score.overall IS 'Overall score, 0 to 1.';
COMMENT ON COLUMN run_score.dimensions IS 'Named scores, each 0 to 1.';
COMMENT ON COLUMN run_score.scored_at IS 'When it was scored.';

-- ---------------------------------------------------------------- positions

CREATE TABLE consumer_offset (
    topic           text        NOT NULL,
    partition       integer     NOT NULL,
    next_offset     bigint      NOT NULL,
    topic_id        text        NOT NULL,
    partition_count integer     NOT NULL,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition)
);

COMMENT ON TABLE consumer_offset IS 'How far the sink has written each partition; moves in the rows'' own transaction, by compare-and-set.';
COMMENT ON COLUMN consumer_offset.topic IS 'Full name of the topic.';
COMMENT ON COLUMN consumer_offset.partition IS 'Partition of it.';
COMMENT ON COLUMN consumer_offset.next_offset IS 'First offset not yet written.';
COMMENT ON COLUMN consumer_offset.topic_id IS 'Id of the topic when it was first read: a recreated topic has another.';
COMMENT ON COLUMN consumer_offset.partition_count IS 'Partitions of the topic when it was first read.';
COMMENT ON COLUMN consumer_offset.updated_at IS 'When the position last moved.';
