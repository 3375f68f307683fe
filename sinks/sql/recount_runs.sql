-- One row per run, with everything that its events say of it.
CREATE TEMP TABLE recounted_run ON COMMIT DROP AS
WITH heard AS (
    SELECT *
    FROM recounted_event
    WHERE NOT late AND type <> 'runledger.run.timed_out.v1'
),
life AS (
    SELECT
        project_key,
        run_id,
        min(log_partition) AS log_partition,
        min(log_offset) AS born_offset,
        max(log_offset) + 1 AS version,
        max(logged_at) AS heard_at,
        max(at) AS last_occurred_at,
        count(*) AS events,
        count(*) FILTER (WHERE type = 'runledger.failure.recorded.v1') AS failures,
        coalesce(sum(jsonb_array_length(data -> 'traces')) FILTER (
            WHERE type IN ('runledger.usage.reported.v1', 'runledger.run.ended.v1')
        ), 0) AS traces,
        bool_or(clamped) AS clock_clamped,
        min(log_offset) FILTER (WHERE agent_id IS NOT NULL) AS named_offset
    FROM heard
    GROUP BY project_key, run_id
),
started AS (
    SELECT DISTINCT ON (project_key, run_id)
        project_key, run_id, event_id, at, data
    FROM heard
    WHERE type = 'runledger.run.started.v1'
    ORDER BY project_key, run_id, at, event_id COLLATE "C"
),
model AS (
    SELECT project_key, run_id, array_agg(model ORDER BY model COLLATE "C") AS models
    FROM (
        SELECT
            project_key,
            run_id,
            model,
            row_number() OVER (PARTITION BY project_key, run_id ORDER BY model COLLATE "C") AS place
        FROM (
            SELECT DISTINCT project_key, run_id, data -> 'token_usage' ->> 'model' AS model
            FROM heard
            WHERE type IN ('runledger.usage.reported.v1', 'runledger.run.ended.v1')
              AND data -> 'token_usage' ->> 'model' IS NOT NULL
        ) AS named
    ) AS placed
    WHERE place <= 32
    GROUP BY project_key, run_id
),
-- The agent stays as it was named when the first outcome went out: at the first end, or when an agent was named after it,
-- or at a timeout, which waits for no name.
pinned AS (
    SELECT
        l.project_key,
        l.run_id,
        CASE
            WHEN e.end_offset IS NULL THEN NULL
            WHEN e.timeout_offset IS NOT NULL AND (l.named_offset IS NULL OR l.named_offset > e.timeout_offset)
                THEN e.timeout_offset
            ELSE greatest(e.end_offset, l.named_offset)
        END AS offset_
    FROM life AS l
    LEFT JOIN recounted_end AS e USING (project_key, run_id)
),
agent AS (
    SELECT DISTINCT ON (h.project_key, h.run_id) h.project_key, h.run_id, h.agent_id
    FROM heard AS h
    JOIN pinned AS p USING (project_key, run_id)
    WHERE h.agent_id IS NOT NULL AND (p.offset_ IS NULL OR h.log_offset <= p.offset_)
    ORDER BY h.project_key, h.run_id, h.at, h.event_id COLLATE "C"
)
SELECT
    l.project_key,
    l.run_id,
    l.log_partition,
    l.born_offset,
    greatest(l.version, CASE WHEN e.timeout_offset IS NOT NULL THEN e.timeout_offset + 1 END) AS version,
    greatest(l.heard_at, CASE WHEN e.timeout_offset IS NOT NULL THEN t.logged_at END) AS last_logged_at,
    l.heard_at,
    coalesce(e.kind, 'lifecycle') AS kind,
    coalesce(e.status, 'running') AS status,
    -- An ended run that no event had named went out as "unknown" when its time was over; the log does not tell when.
    CASE
        WHEN g.agent_id = 'unknown' AND e.end_offset IS NOT NULL
            AND (l.named_offset IS NULL OR l.named_offset > e.end_offset) THEN NULL
        ELSE a.agent_id
    END AS agent_id,
    s.at AS started_at,
    s.event_id AS start_event_id,
    s.data ->> 'summary' AS summary,
    (s.data ->> 'parent_run_id')::uuid AS parent_run_id,
    s.data ->> 'task_id' AS task_id,
    e.ended_at,
    e.event_id AS end_event_id,
    e.summary AS end_summary,
    e.end_logged_at,
    e.outcome,
    e.actions_taken,
    l.last_occurred_at,
    u.input_tokens,
    u.output_tokens,
    u.total_tokens,
    u.cost_usd,
    u.llm_calls,
    u.cache_read_tokens,
    u.cache_write_tokens,
    u.reasoning_tokens,
    coalesce(u.comparable_cost, true) AS comparable_cost,
    coalesce(
        u.reported,
        '{"input_tokens": null, "output_tokens": null, "total_tokens": null, "llm_calls": null,
          "cache_read_tokens": null, "cache_write_tokens": null, "reasoning_tokens": null}'::jsonb
    ) AS reported,
    CASE WHEN u.run_id IS NULL THEN false ELSE u.usage_mismatch END AS usage_mismatch,
    coalesce(m.models, '{}') AS models,
    l.events,
    l.failures,
    l.traces,
    coalesce(e.inferred, false) AS inferred,
    e.timeout_offset IS NOT NULL AS timed_out,
    coalesce(e.end_conflict, false) AS end_conflict,
    l.clock_clamped,
    e.end_offset IS NOT NULL AND NOT e.inferred AND a.agent_id IS NULL AND e.timeout_offset IS NULL AS nameless,
    -- Silent: no trace, no end summary, and nothing in actions_taken but emptiness; a declared idle run says something.
    l.traces = 0
    AND coalesce(e.summary, '') ~ '^[\t\n\u000b\f\r\u001c-\u001f \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$'
    AND NOT coalesce(e.actions_taken, '{}') ? 'no_work'
    AND NOT jsonb_path_exists(
        coalesce(e.actions_taken, '{}'),
        '$.** ? (
            @.type() == "number" || @.type() == "boolean" || (@.type() == "string" && !(@ like_regex
            "^[\t\n\u000b\f\r\u001c-\u001f \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$"))
        )'
    ) AS silent
FROM life AS l
LEFT JOIN recounted_end AS e USING (project_key, run_id)
LEFT JOIN started AS s USING (project_key, run_id)
LEFT JOIN recounted_usage AS u USING (project_key, run_id)
LEFT JOIN model AS m USING (project_key, run_id)
LEFT JOIN agent AS a USING (project_key, run_id)
LEFT JOIN agent_run_log AS g USING (project_key, run_id)
LEFT JOIN recounted_event AS t
    ON t.project_key = l.project_key AND t.run_id = l.run_id AND t.log_offset = e.timeout_offset
