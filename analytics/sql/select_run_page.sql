-- One page of a project's runs, with their rows in the run log.
-- What stands in braces is put in by analytics/run_list.py, from constants of its own; the page begins beyond the
-- parameters place and place_run_id, the sort key of the last row before.
-- Filters, each NULL for any: %(agent_id)s: text, %(status)s: text, %(outcome)s: text, %(kind)s: text, %(task_id)s: text,
-- %(parent_run_id)s, %(first_run_id)s and %(last_run_id)s: uuid, %(since)s and %(until)s: timestamptz, %(silent)s: boolean.
-- %(project_key)s: text, %(limit)s: integer.
WITH page AS (
    SELECT *
    FROM agent_run AS r
    WHERE r.project_key = %(project_key)s
      -- Runs that nobody claimed are logged under "unknown".
      AND (%(agent_id)s::text IS NULL
           OR r.agent_id = %(agent_id)s
           OR (%(agent_id)s = 'unknown' AND r.agent_id IS NULL AND r.outcome_revision > 0))
      AND (%(status)s::text IS NULL OR r.status = %(status)s)
      AND (%(outcome)s::text IS NULL OR r.outcome = %(outcome)s)
      AND (%(kind)s::text IS NULL OR r.kind = %(kind)s)
      AND (%(task_id)s::text IS NULL OR r.task_id = %(task_id)s)
      AND (%(parent_run_id)s::uuid IS NULL OR r.parent_run_id = %(parent_run_id)s)
      AND (%(first_run_id)s::uuid IS NULL OR r.run_id >= %(first_run_id)s)
      AND (%(last_run_id)s::uuid IS NULL OR r.run_id <= %(last_run_id)s)
      AND (%(since)s::timestamptz IS NULL OR r.heard_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR r.heard_at < %(until)s)
      -- As a value, looked up run by run: EXISTS would be answered from the whole log, once for each page.
      AND (%(silent)s::boolean IS NULL
           OR (SELECT s.silent FROM agent_run_log AS s WHERE s.id = r.row_id AND s.project_key = r.project_key) = %(silent)s)
      AND {beyond}
    ORDER BY {order}
    LIMIT %(limit)s
)
SELECT r.run_id,
       r.kind,
       r.status,
       r.outcome,
       coalesce(l.agent_id, r.agent_id) AS agent_id,
       r.parent_run_id,
       r.task_id,
       r.summary,
       r.end_summary,
       r.started_at,
       r.ended_at,
       r.heard_at,
       r.input_tokens,
       r.output_tokens,
       r.total_tokens,
       r.llm_calls,
       r.cost_usd,
       r.cost_source,
       r.models,
       r.failures AS failure_count,
       r.traces AS trace_count,
       r.timed_out,
       r.late_events,
       l.run_at AS logged_at,
       l.action_summary,
       l.silent,
       l.consecutive_silence_count,
       l.consecutive_failure_count,
       (l.rlhf_scores ->> 'overall')::double precision AS score
FROM page AS r
LEFT JOIN agent_run_log AS l ON l.id = r.row_id AND l.project_key = r.project_key
ORDER BY {order}
