-- Revise finished runs in place, and insert each that is missing: run_at and created_at never change. The rollup moves by
-- what the rows themselves changed, so a replay moves nothing; scores move it when they are joined. A row that is new
-- brings the one job that scores it; a revision brings none.
WITH incoming AS (
    SELECT r.*
    FROM incoming_log AS r
    WHERE NOT EXISTS (
        SELECT FROM erased_run AS e
        WHERE e.project_key = r.project_key AND e.run_id = r.run_id AND r.run_at <= e.erased_at
    )
    AND (SELECT true FROM pruned_run AS p WHERE p.project_key = r.project_key AND p.run_id = r.run_id LIMIT 1) IS NULL
),
before AS (
    -- Row by row through the key: a table just made has no statistics, and a join would read the whole of it.
    SELECT l.id, l.status
    FROM incoming AS i
    CROSS JOIN LATERAL (SELECT held.id, held.status FROM agent_run_log AS held WHERE held.id = i.id LIMIT 1) AS l
),
written AS (
    INSERT INTO agent_run_log AS held (
        id, agent_id, run_at, action_summary, actions_taken, status, consecutive_silence_count, project_key, run_id,
        consecutive_failure_count, revision, kind, run_status, inferred, silent, ended_at, late, log_partition,
        log_offset
    )
    SELECT
        id, agent_id, run_at, action_summary, actions_taken, status, consecutive_silence_count, project_key, run_id,
        consecutive_failure_count, revision, kind, run_status, inferred, silent, ended_at, late, log_partition,
        log_offset
    FROM incoming
    ORDER BY id
    ON CONFLICT (id) DO UPDATE SET
        action_summary = excluded.action_summary,
        actions_taken = excluded.actions_taken,
        status = excluded.status,
        consecutive_silence_count = excluded.consecutive_silence_count,
        consecutive_failure_count = excluded.consecutive_failure_count,
        revision = excluded.revision,
        kind = excluded.kind,
        run_status = excluded.run_status,
        inferred = excluded.inferred,
        silent = excluded.silent,
        ended_at = excluded.ended_at,
        late = excluded.late,
        log_offset = excluded.log_offset
    WHERE excluded.revision > held.revision
    RETURNING id, project_key, created_at, log_partition, status
),
job AS (
    INSERT INTO scoring_outbox (job_id, row_id, key, payload)
    SELECT i.job_id, i.row_id, i.key, i.payload
    FROM incoming AS i
    JOIN written USING (id)
    WHERE NOT EXISTS (SELECT FROM before AS b WHERE b.id = i.id)
    ORDER BY i.id
    ON CONFLICT (job_id) DO NOTHING
),
change AS (
    SELECT
        w.project_key,
        date_bin('15 minutes', w.created_at, '2000-01-01 00:00:00+00') AS quarter,
        w.log_partition AS shard,
        count(*) FILTER (WHERE b.id IS NULL) AS runs,
        count(*) FILTER (WHERE w.status = 'success') - count(*) FILTER (WHERE b.status = 'success') AS success,
        count(*) FILTER (WHERE w.status = 'partial') - count(*) FILTER (WHERE b.status = 'partial') AS partial,
        count(*) FILTER (WHERE w.status = 'failed') - count(*) FILTER (WHERE b.status = 'failed') AS failed
    FROM written AS w
    LEFT JOIN before AS b USING (id)
    GROUP BY 1, 2, 3
)
INSERT INTO run_rollup AS held (project_key, quarter, shard, runs, success, partial, failed, scored, score_sum)
SELECT project_key, quarter, shard, runs, success, partial, failed, 0, 0
FROM change
ORDER BY 1, 2, 3
ON CONFLICT (project_key, quarter, shard) DO UPDATE SET
    runs = held.runs + excluded.runs,
    success = held.success + excluded.success,
    partial = held.partial + excluded.partial,
    failed = held.failed + excluded.failed
