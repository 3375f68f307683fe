-- What a run reported of each model, each report once however often it was delivered, and what the end in force says.
-- %(project_key)s: text, %(run_id)s: uuid.
WITH told AS (
    SELECT DISTINCT ON (e.event_id)
           e.type = 'runledger.run.ended.v1' AS at_end,
           e.data -> 'token_usage' AS usage
    FROM run_event AS e
    JOIN agent_run AS r USING (project_key, run_id)
    WHERE e.project_key = %(project_key)s
      AND e.run_id = %(run_id)s
      AND (e.type = 'runledger.usage.reported.v1'
           OR (e.type = 'runledger.run.ended.v1' AND e.event_id = r.end_event_id))
    ORDER BY e.event_id, e.log_offset, e.log_partition
),
figures AS (
    SELECT usage ->> 'model' AS model,
           at_end,
           (usage ->> 'input_tokens')::numeric AS input_tokens,
           (usage ->> 'output_tokens')::numeric AS output_tokens,
           (usage ->> 'total_tokens')::numeric AS total_tokens,
           (usage ->> 'llm_calls')::numeric AS llm_calls,
           (usage ->> 'cost_usd')::numeric AS cost_usd
    FROM told
    WHERE jsonb_typeof(usage) = 'object'
),
sums AS (
    SELECT model,
           at_end,
           count(*) AS reports,
           sum(input_tokens) AS input_tokens,
           sum(output_tokens) AS output_tokens,
           -- A missing total is what is known of input and output, as in the ledger.
           sum(CASE
               WHEN total_tokens IS NOT NULL THEN total_tokens
               WHEN input_tokens IS NULL THEN output_tokens
               ELSE input_tokens + coalesce(output_tokens, 0)
           END) AS total_tokens,
           sum(llm_calls) AS llm_calls,
           sum(cost_usd) AS stated_cost_usd,
           count(cost_usd) AS reports_with_cost
    FROM figures
    GROUP BY model, at_end
)
SELECT model,
       at_end,
       reports,
       -- Sums stop where the ledger's do. (least() would take NULL for the limit.)
       CASE WHEN input_tokens > 9007199254740991 THEN 9007199254740991 ELSE input_tokens END::bigint AS input_tokens,
       CASE WHEN output_tokens > 9007199254740991 THEN 9007199254740991 ELSE output_tokens END::bigint AS output_tokens,
       CASE WHEN total_tokens > 9007199254740991 THEN 9007199254740991 ELSE total_tokens END::bigint AS total_tokens,
       CASE WHEN llm_calls > 9007199254740991 THEN 9007199254740991 ELSE llm_calls END::bigint AS llm_calls,
       stated_cost_usd,
       reports_with_cost
FROM sums
ORDER BY at_end, sums.total_tokens DESC NULLS LAST, model
LIMIT 100
