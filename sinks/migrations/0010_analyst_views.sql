-- Views for analysts (docs/analysts.md). They say in SQL what docs/ledger.md says, so that nobody has to find out again which
-- of several ends counts, or to mistake an unknown cost for none. No index is made for them: a sink would pay for it at
-- every event. Each takes its project's rows by the keys that are there, and the day is looked at row by row.

-- ---------------------------------------------------------------- what runs cost

CREATE VIEW run_costs_daily AS
SELECT r.project_key,
       (t.told_at AT TIME ZONE 'UTC')::date AS day,
       r.agent_id,
       CASE WHEN cardinality(r.models) = 1 THEN r.models[1] END AS model,
       r.models,
       CASE WHEN r.cost_usd IS NULL THEN 'unknown' ELSE r.cost_source END AS cost_source,
       count(*) AS runs,
       count(*) FILTER (WHERE r.outcome = 'success') AS success_runs,
       count(*) FILTER (WHERE r.outcome = 'failed') AS failed_runs,
       count(*) FILTER (WHERE r.status = 'running') AS running_runs,
       count(r.total_tokens) AS runs_with_tokens,
       sum(r.input_tokens) AS input_tokens,
       sum(r.cache_read_tokens) AS cache_read_tokens,
       sum(r.cache_write_tokens) AS cache_write_tokens,
       sum(r.output_tokens) AS output_tokens,
       sum(r.reasoning_tokens) AS reasoning_tokens,
       sum(r.total_tokens) AS total_tokens,
       sum(r.llm_calls) AS llm_calls,
       sum(r.cost_usd) AS cost_usd,
       sum(r.cost_usd) FILTER (WHERE r.outcome = 'failed') AS failed_cost_usd
FROM agent_run AS r
CROSS JOIN LATERAL (SELECT coalesce(r.ended_at, r.last_occurred_at, r.last_logged_at) AS told_at) AS t
GROUP BY 1, 2, r.agent_id, r.models, 6;

COMMENT ON VIEW run_costs_daily IS 'What runs used and cost, by project, day, agent, models and how the cost is known: a row for each of these that has runs. Sums are over what is known, and NULL, never 0, where nothing is.';
COMMENT ON COLUMN run_costs_daily.project_key IS 'Project of the runs.';
COMMENT ON COLUMN run_costs_daily.day IS 'Day, UTC, on which the runs ended, by their agents'' own clocks; of one without an end, on which it was last heard of.';
COMMENT ON COLUMN run_costs_daily.agent_id IS 'Agent; NULL where no event of the runs named one.';
COMMENT ON COLUMN run_costs_daily.model IS 'The model, where the runs used one; NULL where they used several, or named none.';
COMMENT ON COLUMN run_costs_daily.models IS 'All models that each of the runs used; empty where they named none.';
COMMENT ON COLUMN run_costs_daily.cost_source IS 'reported, estimated (from public prices), mixed (within each run), or unknown.';
COMMENT ON COLUMN run_costs_daily.runs IS 'Runs, those that go on included.';
COMMENT ON COLUMN run_costs_daily.success_runs IS 'Those of them whose outcome is success.';
COMMENT ON COLUMN run_costs_daily.failed_runs IS 'Those of them whose outcome is failed, time-outs included.';
COMMENT ON COLUMN run_costs_daily.running_runs IS 'Those of them that have no end yet.';
COMMENT ON COLUMN run_costs_daily.runs_with_tokens IS 'Those of them whose total_tokens are known.';
COMMENT ON COLUMN run_costs_daily.input_tokens IS 'Input tokens, cached ones included; NULL where no run told any.';
COMMENT ON COLUMN run_costs_daily.cache_read_tokens IS 'Input tokens read from a cache; NULL where no run told any.';
COMMENT ON COLUMN run_costs_daily.cache_write_tokens IS 'Input tokens written to a cache; NULL where no run told any.';
COMMENT ON COLUMN run_costs_daily.output_tokens IS 'Output tokens, reasoning included; NULL where no run told any.';
COMMENT ON COLUMN run_costs_daily.reasoning_tokens IS 'Output tokens spent on reasoning; NULL where no run told any.';
COMMENT ON COLUMN run_costs_daily.total_tokens IS 'Tokens in all; NULL where no run told any.';
COMMENT ON COLUMN run_costs_daily.llm_calls IS 'Calls of language models; NULL where no run told any.';
COMMENT ON COLUMN run_costs_daily.cost_usd IS 'Cost in US dollars; NULL where cost_source is unknown, and nowhere else.';
COMMENT ON COLUMN run_costs_daily.failed_cost_usd IS 'The failed runs'' part of cost_usd; NULL where none of them has a known cost.';

-- ---------------------------------------------------------------- how agents do

CREATE VIEW agent_reliability AS
SELECT a.project_key,
       a.agent_id,
       a.name,
       a.role,
       a.retired,
       coalesce(l.runs, 0) AS runs,
       coalesce(l.success_runs, 0) AS success_runs,
       coalesce(l.partial_runs, 0) AS partial_runs,
       coalesce(l.failed_runs, 0) AS failed_runs,
       round(l.success_runs::numeric / l.runs, 4) AS success_rate,
       round(l.partial_runs::numeric / l.runs, 4) AS partial_rate,
       round(l.failed_runs::numeric / l.runs, 4) AS failed_rate,
       coalesce(l.silent_runs, 0) AS silent_runs,
       coalesce(l.timed_out_runs, 0) AS timed_out_runs,
       coalesce(h.consecutive_failure_count, 0) AS consecutive_failure_count,
       coalesce(h.consecutive_silence_count, 0) AS consecutive_silence_count,
       coalesce(l.longest_failing_streak, 0) AS longest_failing_streak,
       coalesce(l.longest_silence, 0) AS longest_silence,
       coalesce(l.runs_with_cost, 0) AS runs_with_cost,
       l.cost_usd,
       round(l.cost_usd / nullif(l.runs_with_cost, 0), 10) AS mean_cost_usd,
       coalesce(l.runs_with_duration, 0) AS runs_with_duration,
       round(l.seconds / nullif(l.runs_with_duration, 0), 3) AS mean_duration_seconds,
       coalesce(i.incidents, 0) AS incidents,
       coalesce(i.open_incidents, 0) AS open_incidents,
       h.last_status,
       h.last_ended_at,
       coalesce(greatest(heard.heard_at, a.heard_at), h.last_logged_at) AS last_heard_at
FROM agent AS a
LEFT JOIN agent_health AS h ON h.project_key = a.project_key AND h.agent_id = a.agent_id
LEFT JOIN (
    SELECT g.project_key,
           g.agent_id,
           count(*) AS runs,
           count(*) FILTER (WHERE g.status = 'success') AS success_runs,
           count(*) FILTER (WHERE g.status = 'partial') AS partial_runs,
           count(*) FILTER (WHERE g.status = 'failed') AS failed_runs,
           count(*) FILTER (WHERE g.silent) AS silent_runs,
           count(*) FILTER (WHERE g.inferred) AS timed_out_runs,
           max(g.consecutive_failure_count) AS longest_failing_streak,
           max(g.consecutive_silence_count) AS longest_silence,
           count(r.cost_usd) AS runs_with_cost,
           sum(r.cost_usd) AS cost_usd,
           count(*) FILTER (WHERE r.ended_at >= r.started_at) AS runs_with_duration,
           sum(extract(epoch FROM r.ended_at - r.started_at)) FILTER (WHERE r.ended_at >= r.started_at) AS seconds
    FROM agent_run_log AS g
    LEFT JOIN agent_run AS r ON r.project_key = g.project_key AND r.run_id = g.run_id
    GROUP BY g.project_key, g.agent_id
) AS l ON l.project_key = a.project_key AND l.agent_id = a.agent_id
LEFT JOIN (
    SELECT project_key, agent_id, count(*) AS incidents, count(*) FILTER (WHERE state = 'open') AS open_incidents
    FROM incident
    GROUP BY project_key, agent_id
) AS i ON i.project_key = a.project_key AND i.agent_id = a.agent_id
LEFT JOIN LATERAL (
    SELECT n.heard_at
    FROM agent_run AS n
    WHERE n.project_key = a.project_key AND n.agent_id = a.agent_id
    ORDER BY n.heard_at DESC
    LIMIT 1
) AS heard ON true;

COMMENT ON VIEW agent_reliability IS 'How each agent''s finished runs went: one row per agent that the ledger knows, those that never ran included. It counts the runs that the run log holds; what was pruned is counted no more.';
COMMENT ON COLUMN agent_reliability.project_key IS 'Project of the agent.';
COMMENT ON COLUMN agent_reliability.agent_id IS 'The agent; unknown is that of runs for which nobody named one.';
COMMENT ON COLUMN agent_reliability.name IS 'Name for people; NULL where none is set.';
COMMENT ON COLUMN agent_reliability.role IS 'What the agent is for; NULL where nobody said so.';
COMMENT ON COLUMN agent_reliability.retired IS 'It is not expected to report any more.';
COMMENT ON COLUMN agent_reliability.runs IS 'Finished runs; the sum of the three outcomes.';
COMMENT ON COLUMN agent_reliability.success_runs IS 'Those of them whose outcome is success.';
COMMENT ON COLUMN agent_reliability.partial_runs IS 'Those of them whose outcome is partial.';
COMMENT ON COLUMN agent_reliability.failed_runs IS 'Those of them whose outcome is failed, time-outs included.';
COMMENT ON COLUMN agent_reliability.success_rate IS 'success_runs / runs, 0 to 1, to four places; NULL without runs.';
COMMENT ON COLUMN agent_reliability.partial_rate IS 'partial_runs / runs, 0 to 1, to four places; NULL without runs.';
COMMENT ON COLUMN agent_reliability.failed_rate IS 'failed_runs / runs, 0 to 1, to four places; NULL without runs.';
COMMENT ON COLUMN agent_reliability.silent_runs IS 'Runs that show no meaningful output.';
COMMENT ON COLUMN agent_reliability.timed_out_runs IS 'Failed runs whose end in force was inferred by a timeout: nothing was heard of them until their deadline, nor an end since.';
COMMENT ON COLUMN agent_reliability.consecutive_failure_count IS 'Failing streak, up to now.';
COMMENT ON COLUMN agent_reliability.consecutive_silence_count IS 'Silent runs in a row, up to now.';
COMMENT ON COLUMN agent_reliability.longest_failing_streak IS 'Longest failing streak among the runs counted.';
COMMENT ON COLUMN agent_reliability.longest_silence IS 'Most silent runs in a row among the runs counted.';
COMMENT ON COLUMN agent_reliability.runs_with_cost IS 'Runs whose cost is known.';
COMMENT ON COLUMN agent_reliability.cost_usd IS 'Cost of these, in US dollars; NULL where there are none.';
COMMENT ON COLUMN agent_reliability.mean_cost_usd IS 'Mean cost of these, in US dollars; NULL where there are none.';
COMMENT ON COLUMN agent_reliability.runs_with_duration IS 'Runs whose start and end are known, the end not before the start.';
COMMENT ON COLUMN agent_reliability.mean_duration_seconds IS 'Mean time from start to end of these, in seconds; one that timed out ended at its last sign of life. NULL where there are none.';
COMMENT ON COLUMN agent_reliability.incidents IS 'Streaks that reached their threshold, recovered ones included.';
COMMENT ON COLUMN agent_reliability.open_incidents IS 'Those of them that have not recovered.';
COMMENT ON COLUMN agent_reliability.last_status IS 'Outcome of the run that ended last; NULL where none has.';
COMMENT ON COLUMN agent_reliability.last_ended_at IS 'The agent''s own time of its latest end; NULL where there is none.';
COMMENT ON COLUMN agent_reliability.last_heard_at IS 'Log time of the last event that the agent itself sent; NULL where it was never heard.';

-- ---------------------------------------------------------------- which failures come back

CREATE VIEW failure_recurrence AS
SELECT g.project_key,
       g.fingerprint,
       g.summary,
       g.state,
       g.failure_count AS failures,
       met.runs,
       met.agents,
       met.tasks,
       g.first_seen_at,
       g.last_seen_at,
       round(extract(epoch FROM g.last_seen_at - g.first_seen_at) / 86400 / nullif(g.failure_count - 1, 0), 3)
           AS mean_days_between,
       g.resolved_at,
       g.resolved_by_run_id,
       CASE WHEN g.resolved_by_event_id IS NULL THEN run.agent_id ELSE word.agent_id END AS resolved_by_agent_id,
       word.resolved_by,
       back.resolutions,
       back.recurrences,
       back.last_recurred_at,
       back.mean_days_to_recur
FROM failure_group AS g
CROSS JOIN LATERAL (
    SELECT count(DISTINCT f.run_id) FILTER (WHERE NOT f.detached) AS runs,
           count(DISTINCT f.agent_id) AS agents,
           count(DISTINCT f.task_id) AS tasks
    FROM run_failure AS f
    WHERE f.project_key = g.project_key AND f.fingerprint = g.fingerprint
) AS met
LEFT JOIN agent_run AS run ON run.project_key = g.project_key AND run.run_id = g.resolved_by_run_id
LEFT JOIN LATERAL (
    SELECT w.agent_id, w.resolved_by
    FROM failure_resolution AS w
    WHERE w.project_key = g.project_key
      AND w.fingerprint = g.fingerprint
      AND w.resolved_at = g.resolved_at
      AND w.event_id = g.resolved_by_event_id
    ORDER BY w.run_id DESC
    LIMIT 1
) AS word ON true
CROSS JOIN LATERAL (
    SELECT coalesce(sum(e.resolutions), 0)::bigint AS resolutions,
           count(e.recurred_at) AS recurrences,
           max(e.recurred_at) AS last_recurred_at,
           round(avg(extract(epoch FROM e.recurred_at - e.resolved_at)) / 86400, 3) AS mean_days_to_recur
    FROM (
        -- One row for each failure that was the first after a resolution, and one for the resolutions that hold.
        SELECT again.occurred_at AS recurred_at, max(way.resolved_at) AS resolved_at, count(*) AS resolutions
        FROM (
            SELECT w.resolved_at
            FROM failure_resolution AS w
            WHERE w.project_key = g.project_key AND w.fingerprint = g.fingerprint
            UNION
            -- The first run that completed the task after a failure. failure_task knows the last of these alone.
            SELECT done.ended_at
            FROM run_failure AS f
            CROSS JOIN LATERAL (
                SELECT c.ended_at
                FROM task_completion AS c
                WHERE c.project_key = f.project_key AND c.task_id = f.task_id AND c.ended_at > f.occurred_at
                ORDER BY c.ended_at
                LIMIT 1
            ) AS done
            WHERE f.project_key = g.project_key AND f.fingerprint = g.fingerprint
        ) AS way
        LEFT JOIN LATERAL (
            SELECT f.occurred_at
            FROM run_failure AS f
            WHERE f.project_key = g.project_key AND f.fingerprint = g.fingerprint AND f.occurred_at > way.resolved_at
            ORDER BY f.occurred_at
            LIMIT 1
        ) AS again ON true
        GROUP BY again.occurred_at
    ) AS e
) AS back;

COMMENT ON VIEW failure_recurrence IS 'Kinds of failures, and how often each came back after it was resolved: one row per kind. All times are the agents'' own.';
COMMENT ON COLUMN failure_recurrence.project_key IS 'Project of the failures.';
COMMENT ON COLUMN failure_recurrence.fingerprint IS 'What they have in common.';
COMMENT ON COLUMN failure_recurrence.summary IS 'Short description of the first one.';
COMMENT ON COLUMN failure_recurrence.state IS 'open: never resolved; resolved: nothing failed so since; regressed: it did.';
COMMENT ON COLUMN failure_recurrence.failures IS 'How often it happened.';
COMMENT ON COLUMN failure_recurrence.runs IS 'Runs that met it; a failure told outside of any run has none.';
COMMENT ON COLUMN failure_recurrence.agents IS 'Agents named by these failures.';
COMMENT ON COLUMN failure_recurrence.tasks IS 'Tasks named by these failures.';
COMMENT ON COLUMN failure_recurrence.first_seen_at IS 'When it happened first.';
COMMENT ON COLUMN failure_recurrence.last_seen_at IS 'When it happened last.';
COMMENT ON COLUMN failure_recurrence.mean_days_between IS 'Mean time from one failure to the next, in days; NULL where it happened once.';
COMMENT ON COLUMN failure_recurrence.resolved_at IS 'Time of the resolution in force; NULL where it was never resolved.';
COMMENT ON COLUMN failure_recurrence.resolved_by_run_id IS 'Run that resolved it; NULL where none did.';
COMMENT ON COLUMN failure_recurrence.resolved_by_agent_id IS 'Agent of that run, or agent that said it was resolved; NULL where neither is known.';
COMMENT ON COLUMN failure_recurrence.resolved_by IS 'Person or program that said so, as they call themselves; NULL where a run resolved it.';
COMMENT ON COLUMN failure_recurrence.resolutions IS 'Moments at which it was resolved: each word, and for each failure the first run that completed its task afterwards.';
COMMENT ON COLUMN failure_recurrence.recurrences IS 'How often it came back: failures that were the first one after a resolution. At least 1 where state is regressed.';
COMMENT ON COLUMN failure_recurrence.last_recurred_at IS 'When it came back last; NULL where it never did.';
COMMENT ON COLUMN failure_recurrence.mean_days_to_recur IS 'Mean time from the latest resolution to its coming back, in days; NULL where it never did.';

-- ---------------------------------------------------------------- how good the work is

CREATE VIEW score_trend AS
SELECT l.project_key,
       l.agent_id,
       (coalesce(l.ended_at, l.run_at) AT TIME ZONE 'UTC')::date AS day,
       told.dimension,
       count(v.score) AS scored_runs,
       (sum(count(*)) FILTER (WHERE told.dimension = 'overall') OVER of_day - count(v.score))::bigint AS unscored_runs,
       round(avg(v.score), 6) AS mean_score,
       min(v.score) AS min_score,
       max(v.score) AS max_score,
       (sum(count(v.score)) OVER week)::bigint AS scored_runs_7d,
       round(sum(sum(v.score)) OVER week / nullif(sum(count(v.score)) OVER week, 0), 6) AS mean_score_7d
FROM agent_run_log AS l
CROSS JOIN LATERAL jsonb_each(
    CASE WHEN jsonb_typeof(l.rlhf_scores -> 'dimensions') = 'object' THEN l.rlhf_scores -> 'dimensions' ELSE '{}' END
    -- A row without a score has it as null: so the run is counted.
    || jsonb_build_object('overall', l.rlhf_scores -> 'overall')
) AS told (dimension, score)
CROSS JOIN LATERAL (
    SELECT CASE WHEN jsonb_typeof(told.score) = 'number' THEN told.score::numeric END AS score
) AS v
GROUP BY 1, 2, 3, 4
WINDOW
    of_day AS (PARTITION BY l.project_key, l.agent_id, (coalesce(l.ended_at, l.run_at) AT TIME ZONE 'UTC')::date),
    week AS (
        PARTITION BY l.project_key, l.agent_id, told.dimension
        ORDER BY (coalesce(l.ended_at, l.run_at) AT TIME ZONE 'UTC')::date
        RANGE BETWEEN INTERVAL '6 days' PRECEDING AND CURRENT ROW
    );

COMMENT ON VIEW score_trend IS 'Scores of finished runs by project, agent, day and dimension. A run shows the earliest score it has, whatever its rubric. A day without runs of the agent has no rows; one on which nothing is scored has the row overall alone.';
COMMENT ON COLUMN score_trend.project_key IS 'Project of the runs.';
COMMENT ON COLUMN score_trend.agent_id IS 'Agent of the runs; unknown is that of runs for which nobody named one.';
COMMENT ON COLUMN score_trend.day IS 'Day, UTC, on which the runs ended, by the agent''s own clock.';
COMMENT ON COLUMN score_trend.dimension IS 'overall, or the name of a dimension; a dimension of the name overall is left out.';
COMMENT ON COLUMN score_trend.scored_runs IS 'Runs that have such a score.';
COMMENT ON COLUMN score_trend.unscored_runs IS 'Runs of the agent on this day that have none, or none yet.';
COMMENT ON COLUMN score_trend.mean_score IS 'Mean over the scored runs, 0 to 1, to six places; NULL where there are none.';
COMMENT ON COLUMN score_trend.min_score IS 'Lowest of these scores; NULL where there are none.';
COMMENT ON COLUMN score_trend.max_score IS 'Highest of these scores; NULL where there are none.';
COMMENT ON COLUMN score_trend.scored_runs_7d IS 'Scored runs of this day and the six days before it.';
COMMENT ON COLUMN score_trend.mean_score_7d IS 'Mean over all of these runs, 0 to 1, to six places; NULL where there are none.';

-- ---------------------------------------------------------------- rights

GRANT SELECT ON agent_reliability, failure_recurrence, run_costs_daily, score_trend TO runledger_read;

-- Who reads a view sees what he may see of the tables: row-level policies that an operator made for them hold here too. Before
-- PostgreSQL 15 a view shows what its owner may see.
DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 150000 THEN
        ALTER VIEW agent_reliability SET (security_invoker = true);
        ALTER VIEW failure_recurrence SET (security_invoker = true);
        ALTER VIEW run_costs_daily SET (security_invoker = true);
        ALTER VIEW score_trend SET (security_invoker = true);
    END IF;
END
$$;
