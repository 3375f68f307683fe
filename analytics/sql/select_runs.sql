-- The runs named, as the ledger has them, in the order of their ends.
-- %(project_keys)s: text[], %(run_ids)s: uuid[], of equal length.
SELECT r.project_key,
       r.run_id,
       coalesce(l.agent_id, r.agent_id) AS agent_id,
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
FROM unnest(%(project_keys)s::text[], %(run_ids)s::uuid[]) AS named (project_key, run_id)
JOIN agent_run AS r USING (project_key, run_id)
LEFT JOIN agent_run_log AS l ON l.id = r.row_id
ORDER BY r.ended_at NULLS LAST, r.run_id
