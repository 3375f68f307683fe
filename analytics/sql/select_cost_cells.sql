-- What a project's runs cost in a span of time, told apart by how the cost is known: in all, by period, and by group.
-- A run counts at the time it ended, or was last heard of. Groups come dearest first, at most so many of them.
-- %(project_key)s: text, %(since)s: timestamptz, %(until)s: timestamptz, %(time_zone)s: text, in which days begin,
-- %(step)s: day or month, %(group_by)s: agent, model or NULL, %(limit)s: integer, of groups,
-- %(agent_id)s: text or NULL for any, %(model)s: text or NULL: runs that used it.
WITH run AS (
    SELECT date_trunc(%(step)s::text, told_at AT TIME ZONE %(time_zone)s::text)::date AS period,
           CASE WHEN %(group_by)s::text = 'agent' THEN agent_id END AS agent_id,
           CASE WHEN %(group_by)s = 'model' THEN models END AS models,
           CASE WHEN cost_usd IS NULL THEN 'unknown' ELSE cost_source END AS cost_source,
           cost_usd,
           total_tokens
    FROM agent_run
    CROSS JOIN LATERAL (SELECT coalesce(ended_at, last_occurred_at, last_logged_at) AS told_at) AS t
    WHERE project_key = %(project_key)s
      AND told_at >= %(since)s
      AND told_at < %(until)s
      -- As in select_run_costs: a run told of since then was heard since five minutes before, and that has an index.
      AND heard_at >= %(since)s::timestamptz - interval '5 minutes'
      -- Runs that nobody claimed are logged under "unknown".
      AND (%(agent_id)s::text IS NULL
           OR agent_id = %(agent_id)s
           OR (%(agent_id)s = 'unknown' AND agent_id IS NULL AND outcome_revision > 0))
      AND (%(model)s::text IS NULL OR %(model)s = ANY (models))
),
cell AS (
    SELECT CASE WHEN grouping(period) = 0 THEN 'period' WHEN grouping(agent_id) = 0 THEN 'group' ELSE 'all' END AS level,
           period,
           agent_id,
           models,
           cost_source,
           count(*) AS runs,
           sum(cost_usd) AS cost_usd,
           count(total_tokens) AS runs_with_tokens,
           sum(total_tokens) AS total_tokens
    FROM run
    GROUP BY GROUPING SETS ((cost_source), (period, cost_source), (agent_id, models, cost_source))
),
weighed AS (
    SELECT *, sum(cost_usd) OVER (PARTITION BY level, agent_id, models) AS group_cost_usd
    FROM cell
    WHERE level <> 'group' OR %(group_by)s IS NOT NULL
),
ranked AS (
    SELECT *, dense_rank() OVER (PARTITION BY level ORDER BY group_cost_usd DESC NULLS LAST, agent_id, models) AS place
    FROM weighed
)
SELECT level, period, agent_id, models, cost_source, runs, cost_usd, runs_with_tokens, total_tokens
FROM ranked
WHERE level <> 'group' OR place <= %(limit)s
ORDER BY level, place, period, cost_source
