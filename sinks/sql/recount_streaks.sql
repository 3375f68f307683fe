-- Streaks of finished runs in the order of their ends, by gaps and islands. Runs that came too late to count are left out:
-- whether one did depends on the order of arrival, so the row's own word is taken, and checked elsewhere. Of an agent some of
-- whose runs were pruned, a streak is known from the first run on that ended it after all of those.
CREATE TEMP TABLE recounted_streak ON COMMIT DROP AS
WITH finished AS (
    SELECT
        r.project_key,
        r.run_id,
        coalesce(r.agent_id, 'unknown') AS agent_id,
        r.ended_at,
        r.outcome,
        r.silent,
        r.kind,
        coalesce(l.late, false) AS late,
        p.agent_id IS NULL AS whole,
        p.agent_id IS NULL OR r.ended_at > p.last_ended_at AS beyond
    FROM recounted_run AS r
    LEFT JOIN agent_run_log AS l USING (project_key, run_id)
    LEFT JOIN pruned_agent AS p
        ON p.project_key = r.project_key AND p.agent_id = coalesce(r.agent_id, 'unknown')
    WHERE r.ended_at IS NOT NULL AND (NOT r.nameless OR l.id IS NOT NULL)
),
ordered AS (
    SELECT
        *,
        row_number() OVER story AS place,
        max(ended_at) OVER (PARTITION BY project_key, agent_id) AS last_ended_at,
        count(*) FILTER (WHERE outcome = 'success' AND kind <> 'record') OVER story AS resets,
        count(*) FILTER (WHERE outcome = 'success' AND kind <> 'record' AND beyond) OVER story AS known_resets
    FROM finished
    WHERE NOT late
    WINDOW story AS (PARTITION BY project_key, agent_id ORDER BY ended_at, run_id)
)
SELECT
    project_key,
    run_id,
    agent_id,
    ended_at,
    outcome,
    place,
    place - coalesce(max(place) FILTER (WHERE NOT silent) OVER story, 0) AS consecutive_silence_count,
    count(*) FILTER (WHERE outcome = 'failed' AND kind <> 'record') OVER (
        PARTITION BY project_key, agent_id, resets ORDER BY ended_at, run_id
    ) AS consecutive_failure_count,
    beyond,
    whole OR count(*) FILTER (WHERE NOT silent AND beyond) OVER story > 0 AS silence_known,
    whole OR known_resets > 0 AS failures_known
FROM ordered
WINDOW story AS (PARTITION BY project_key, agent_id ORDER BY ended_at, run_id)
