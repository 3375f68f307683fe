-- Who ended each run: of explicit ends the earliest by the agent's own time, else the first timeout that still found the
-- run as it stood when the timeout was decided.
CREATE TEMP TABLE recounted_end ON COMMIT DROP AS
WITH told AS (
    SELECT
        project_key,
        run_id,
        event_id,
        log_offset,
        logged_at,
        at,
        CASE type
            WHEN 'runledger.run.ended.v1' THEN 'lifecycle'
            WHEN 'runledger.run.recorded.v1' THEN 'record'
            ELSE 'log'
        END AS kind,
        CASE
            WHEN type = 'runledger.run.ended.v1' THEN data ->> 'status'
            WHEN type = 'runledger.run.logged.v1' AND data ->> 'status' = 'failed' THEN 'failed'
            ELSE 'completed'
        END AS status,
        CASE
            WHEN type = 'runledger.run.recorded.v1' THEN 'success'
            WHEN type = 'runledger.run.logged.v1' THEN data ->> 'status'
            WHEN data ->> 'status' = 'completed' THEN 'success'
            WHEN data ->> 'status' = 'interrupted' THEN 'partial'
            ELSE 'failed'
        END AS outcome,
        CASE WHEN type <> 'runledger.run.logged.v1' THEN data ->> 'summary' END AS summary,
        CASE
            WHEN type = 'runledger.run.logged.v1' THEN data -> 'actions_taken'
            ELSE (data -> 'meta') || jsonb_strip_nulls(
                jsonb_build_object('summary', data -> 'summary', 'ticket', data -> 'ticket')
            )
        END AS actions_taken,
        CASE WHEN type = 'runledger.run.ended.v1' THEN data -> 'token_usage' END AS token_usage
    FROM recounted_event
    WHERE type IN ('runledger.run.ended.v1', 'runledger.run.recorded.v1', 'runledger.run.logged.v1') AND NOT late
),
explicit AS (
    SELECT DISTINCT ON (project_key, run_id) *
    FROM told
    ORDER BY project_key, run_id, at, event_id COLLATE "C"
),
explicit_run AS (
    SELECT
        project_key,
        run_id,
        min(log_offset) AS first_offset,
        min(logged_at) AS first_logged_at,
        count(DISTINCT (status, outcome)) > 1 AS conflict
    FROM told
    GROUP BY project_key, run_id
),
timeout AS (
    SELECT DISTINCT ON (t.project_key, t.run_id)
        t.project_key, t.run_id, t.event_id, t.log_offset, t.logged_at, t.at
    FROM (
        SELECT
            e.project_key,
            e.run_id,
            e.event_id,
            e.type,
            e.log_offset,
            e.logged_at,
            e.at,
            (e.data ->> 'last_version')::bigint AS last_version,
            max(e.log_offset) FILTER (WHERE e.type <> 'runledger.run.timed_out.v1') OVER (
                PARTITION BY e.project_key, e.run_id ORDER BY e.log_offset
            ) + 1 AS version
        FROM recounted_event AS e
        WHERE NOT e.late
    ) AS t
    LEFT JOIN explicit_run AS x USING (project_key, run_id)
    WHERE t.type = 'runledger.run.timed_out.v1'
      AND t.last_version = t.version
      AND (x.first_offset IS NULL OR x.first_offset > t.log_offset)
    ORDER BY t.project_key, t.run_id, t.log_offset
)
SELECT
    project_key,
    run_id,
    coalesce(x.event_id, t.event_id) AS event_id,
    coalesce(x.kind, 'lifecycle') AS kind,
    coalesce(x.status, 'interrupted') AS status,
    coalesce(x.outcome, 'failed') AS outcome,
    x.summary,
    CASE WHEN x.event_id IS NULL THEN '{}'::jsonb ELSE x.actions_taken END AS actions_taken,
    x.token_usage,
    coalesce(x.at, t.at) AS ended_at,
    least(r.first_logged_at, t.logged_at) AS end_logged_at,
    least(r.first_offset, t.log_offset) AS end_offset,
    x.event_id IS NULL AS inferred,
    t.log_offset AS timeout_offset,
    coalesce(r.conflict, false) AS end_conflict
FROM explicit AS x
JOIN explicit_run AS r USING (project_key, run_id)
FULL JOIN timeout AS t USING (project_key, run_id)
