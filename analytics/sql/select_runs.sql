-- The runs named, as the ledger has them, in the order of their ends. %(run_ids)s: uuid[].
SELECT r.run_id,
       r.agent_id,
       r.kind,
       r.status,
       r.outcome,
       r.timed_out,
       r.started_at,
       r.ended_at,
       r.llm_calls,
       r.input_tokens,
       r.output_tokens,
       r.total_tokens,
       r.cost_usd,
       r.cost_source,
       r.failures,
       l.action_summary,
       l.silent,
       l.consecutive_silence_count,
       l.consecutive_failure_count,
       (l.rlhf_scores ->> 'overall')::double precision AS score
FROM agent_run AS r
LEFT JOIN agent_run_log AS l ON l.id = r.row_id
WHERE r.project_key = %(project_key)s
  AND r.run_id = ANY (%(run_ids)s)
ORDER BY r.ended_at NULLS LAST, r.run_id
