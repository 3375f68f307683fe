-- Usage: reports add up, the usage told with the end in force is absolute and wins field by field. A missing total is
-- input + output within each report and within the final. Sums stay within 2^53 - 1. Estimated costs cannot be recounted
-- here: comparable_cost says where every contribution was reported.
CREATE TEMP TABLE recounted_usage ON COMMIT DROP AS
WITH report AS (
    SELECT
        project_key,
        run_id,
        (u ->> 'input_tokens')::numeric AS input_tokens,
        (u ->> 'output_tokens')::numeric AS output_tokens,
        (u ->> 'total_tokens')::numeric AS total_tokens,
        (u ->> 'cost_usd')::numeric AS cost_usd,
        (u ->> 'llm_calls')::numeric AS llm_calls,
        (u ->> 'cache_read_tokens')::numeric AS cache_read_tokens,
        (u ->> 'cache_write_tokens')::numeric AS cache_write_tokens,
        (u ->> 'reasoning_tokens')::numeric AS reasoning_tokens,
        u ->> 'model' AS model
    FROM (
        SELECT project_key, run_id, data -> 'token_usage' AS u
        FROM recounted_event
        WHERE type = 'runledger.usage.reported.v1' AND NOT late
    ) AS told
),
summed AS (
    SELECT
        project_key,
        run_id,
        sum(input_tokens) AS input_tokens,
        sum(output_tokens) AS output_tokens,
        sum(
            CASE
                WHEN total_tokens IS NOT NULL THEN total_tokens
                WHEN input_tokens IS NOT NULL OR output_tokens IS NOT NULL
                    THEN coalesce(input_tokens, 0) + coalesce(output_tokens, 0)
            END
        ) AS total_tokens,
        sum(cost_usd) AS cost_usd,
        sum(llm_calls) AS llm_calls,
        sum(cache_read_tokens) AS cache_read_tokens,
        sum(cache_write_tokens) AS cache_write_tokens,
        sum(reasoning_tokens) AS reasoning_tokens,
        bool_or(
            cost_usd IS NULL
            AND model IS NOT NULL
            AND greatest(
                input_tokens, output_tokens, total_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens
            ) > 0
        ) AS estimated
    FROM report
    GROUP BY project_key, run_id
),
total AS (
    SELECT
        project_key,
        run_id,
        CASE WHEN input_tokens > 9007199254740991 THEN 9007199254740991 ELSE input_tokens END AS input_tokens,
        CASE WHEN output_tokens > 9007199254740991 THEN 9007199254740991 ELSE output_tokens END AS output_tokens,
        CASE WHEN total_tokens > 9007199254740991 THEN 9007199254740991 ELSE total_tokens END AS total_tokens,
        CASE WHEN cost_usd > 999999999.9999999999 THEN 999999999.9999999999 ELSE cost_usd END AS cost_usd,
        CASE WHEN llm_calls > 9007199254740991 THEN 9007199254740991 ELSE llm_calls END AS llm_calls,
        CASE WHEN cache_read_tokens > 9007199254740991 THEN 9007199254740991 ELSE cache_read_tokens END AS cache_read_tokens,
        CASE WHEN cache_write_tokens > 9007199254740991 THEN 9007199254740991 ELSE cache_write_tokens END AS cache_write_tokens,
        CASE WHEN reasoning_tokens > 9007199254740991 THEN 9007199254740991 ELSE reasoning_tokens END AS reasoning_tokens,
        estimated
    FROM summed
),
final AS (
    SELECT
        project_key,
        run_id,
        (u ->> 'input_tokens')::numeric AS input_tokens,
        (u ->> 'output_tokens')::numeric AS output_tokens,
        (u ->> 'total_tokens')::numeric AS stated_tokens,
        coalesce(
            (u ->> 'total_tokens')::numeric,
            -- NULL unless both are known
            CASE
                WHEN (u ->> 'input_tokens')::numeric + (u ->> 'output_tokens')::numeric > 9007199254740991
                    THEN 9007199254740991
                ELSE (u ->> 'input_tokens')::numeric + (u ->> 'output_tokens')::numeric
            END
        ) AS total_tokens,
        (u ->> 'cost_usd')::numeric AS cost_usd,
        (u ->> 'llm_calls')::numeric AS llm_calls,
        (u ->> 'cache_read_tokens')::numeric AS cache_read_tokens,
        (u ->> 'cache_write_tokens')::numeric AS cache_write_tokens,
        (u ->> 'reasoning_tokens')::numeric AS reasoning_tokens,
        u ->> 'model' AS model
    FROM (
        SELECT project_key, run_id, token_usage AS u
        FROM recounted_end
        WHERE jsonb_typeof(token_usage) = 'object'
    ) AS told
)
SELECT
    project_key,
    run_id,
    coalesce(f.input_tokens, t.input_tokens) AS input_tokens,
    coalesce(f.output_tokens, t.output_tokens) AS output_tokens,
    CASE
        WHEN f.total_tokens IS NULL AND (f.input_tokens IS NOT NULL OR f.output_tokens IS NOT NULL)
            THEN CASE
                WHEN coalesce(f.input_tokens, t.input_tokens, f.output_tokens, t.output_tokens) IS NOT NULL THEN least(
                    coalesce(f.input_tokens, t.input_tokens, 0) + coalesce(f.output_tokens, t.output_tokens, 0),
                    9007199254740991
                )
            END
        ELSE coalesce(f.total_tokens, t.total_tokens)
    END AS total_tokens,
    coalesce(f.cost_usd, t.cost_usd) AS cost_usd,
    coalesce(f.llm_calls, t.llm_calls) AS llm_calls,
    coalesce(f.cache_read_tokens, t.cache_read_tokens) AS cache_read_tokens,
    coalesce(f.cache_write_tokens, t.cache_write_tokens) AS cache_write_tokens,
    coalesce(f.reasoning_tokens, t.reasoning_tokens) AS reasoning_tokens,
    jsonb_build_object(
        'input_tokens', t.input_tokens,
        'output_tokens', t.output_tokens,
        'total_tokens', t.total_tokens,
        'llm_calls', t.llm_calls,
        'cache_read_tokens', t.cache_read_tokens,
        'cache_write_tokens', t.cache_write_tokens,
        'reasoning_tokens', t.reasoning_tokens
    ) AS reported,
    f.cost_usd IS NOT NULL
    OR (
        NOT coalesce(t.estimated, false)
        AND NOT coalesce(
            f.model IS NOT NULL
            AND greatest(
                f.input_tokens,
                f.output_tokens,
                f.stated_tokens,
                f.cache_read_tokens,
                f.cache_write_tokens,
                f.reasoning_tokens
            ) > 0,
            false
        )
    ) AS comparable_cost,
    CASE
        WHEN f.cost_usd IS NOT NULL AND coalesce(t.estimated, false) THEN NULL
        ELSE coalesce(
            f.input_tokens < t.input_tokens, false
        )
        OR coalesce(f.output_tokens < t.output_tokens, false)
        OR coalesce(f.total_tokens < t.total_tokens, false)
        OR coalesce(f.llm_calls < t.llm_calls, false)
        OR coalesce(f.cache_read_tokens < t.cache_read_tokens, false)
        OR coalesce(f.cache_write_tokens < t.cache_write_tokens, false)
        OR coalesce(f.reasoning_tokens < t.reasoning_tokens, false)
        OR coalesce(f.cost_usd < t.cost_usd, false)
    END AS usage_mismatch
FROM total AS t
FULL JOIN final AS f USING (project_key, run_id)
