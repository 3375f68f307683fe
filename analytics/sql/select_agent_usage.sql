-- What each agent of a project used since some time, in all and day by day. A run counts at the time it ended, or was last
-- heard of. Sums are over what is known.
-- %(project_key)s: text, %(since)s: timestamptz, %(time_zone)s: text, in which days begin.
WITH run AS (
    SELECT coalesce(agent_id, 'unknown') AS agent_id,
           (told_at AT TIME ZONE %(time_zone)s::text)::date AS day,
           cost_usd,
           total_tokens
    FROM agent_run
    CROSS JOIN LATERAL (SELECT coalesce(ended_at, last_occurred_at, last_logged_at) AS told_at) AS t
    WHERE project_key = %(project_key)s
      AND told_at >= %(since)s
      -- As in select_run_costs: a run told of since then was heard since five minutes before, and that has an index.
      AND heard_at >= %(since)s::timestamptz - interval '5 minutes'
      -- Runs that nobody claimed are logged under "unknown".
      AND (agent_id IS NOT NULL OR outcome_revision > 0)
),
by_day AS (
    SELECT agent_id,
           day,
           count(*) AS runs,
           count(cost_usd) AS runs_with_cost,
           sum(cost_usd) AS cost_usd,
           count(total_tokens) AS runs_with_tokens,
           sum(total_tokens) AS total_tokens
    FROM run
    GROUP BY agent_id, day
)
SELECT agent_id,
       sum(runs)::bigint AS runs,
       sum(runs_with_cost)::bigint AS runs_with_cost,
       sum(cost_usd) AS cost_usd,
       sum(runs_with_tokens)::bigint AS runs_with_tokens,
       -- Sums stop where the ledger's do. (least() would take NULL for the limit.)
       CASE
           WHEN sum(total_tokens) > 9007199254740991 THEN 9007199254740991
           ELSE sum(total_tokens)
       END::bigint AS total_tokens,
       array_agg(day ORDER BY day) AS days,
       array_agg(cost_usd ORDER BY day) AS day_costs_usd
FROM by_day
GROUP BY agent_id
