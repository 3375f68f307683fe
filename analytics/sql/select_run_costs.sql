-- What a project's runs used and cost in a span of time: the total first, then the groups, dearest first.
-- A run counts at the time it ended, or was last heard of. Sums are over what is known; counts say how much that is.
-- %(project_key)s: text, %(since)s: timestamptz, %(until)s: timestamptz or NULL, %(time_zone)s: text, in which days begin,
-- %(group_by)s: agent, day, model or NULL, %(limit)s: integer.
WITH runs AS (
    SELECT CASE WHEN %(group_by)s::text = 'agent' THEN agent_id END AS agent_id,
           CASE WHEN %(group_by)s = 'day' THEN (told_at AT TIME ZONE %(time_zone)s::text)::date END AS day,
           CASE WHEN %(group_by)s = 'model' THEN models END AS models,
           cost_usd,
           cost_source,
           input_tokens,
           output_tokens,
           total_tokens,
           llm_calls
    FROM agent_run
    CROSS JOIN LATERAL (SELECT coalesce(ended_at, last_occurred_at, last_logged_at) AS told_at) AS t
    WHERE project_key = %(project_key)s
      AND told_at >= %(since)s
      AND (%(until)s::timestamptz IS NULL OR told_at < %(until)s)
      -- An agent's own time is never more than five minutes ahead of the log's: stage 1 sets it back otherwise
      -- (docs/ledger.md). So a run told of since then was heard since five minutes before, and that has an index.
      AND heard_at >= %(since)s::timestamptz - interval '5 minutes'
)
SELECT agent_id,
       day,
       models,
       count(*) AS runs,
       count(cost_usd) AS runs_with_cost,
       count(cost_usd) FILTER (WHERE cost_source = 'estimated') AS runs_cost_estimated,
       count(cost_usd) FILTER (WHERE cost_source = 'mixed') AS runs_cost_mixed,
       sum(cost_usd) AS cost_usd,
       count(total_tokens) AS runs_with_tokens,
       -- Sums stop where the ledger's do. (least() would take NULL for the limit.)
       CASE
           WHEN sum(input_tokens) > 9007199254740991 THEN 9007199254740991
           ELSE sum(input_tokens)
       END::bigint AS input_tokens,
       CASE
           WHEN sum(output_tokens) > 9007199254740991 THEN 9007199254740991
           ELSE sum(output_tokens)
       END::bigint AS output_tokens,
       CASE
           WHEN sum(total_tokens) > 9007199254740991 THEN 9007199254740991
           ELSE sum(total_tokens)
       END::bigint AS total_tokens,
       CASE
           WHEN sum(llm_calls) > 9007199254740991 THEN 9007199254740991
           ELSE sum(llm_calls)
       END::bigint AS llm_calls
FROM runs
GROUP BY GROUPING SETS ((), (agent_id, day, models))
HAVING grouping(agent_id) = 1 OR %(group_by)s IS NOT NULL
ORDER BY grouping(agent_id) DESC, sum(cost_usd) DESC NULLS LAST, agent_id, day, models
LIMIT %(limit)s + 1
