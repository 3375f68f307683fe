-- One job for each row that is about to be inserted; a revision of a row that stands already brings none.
INSERT INTO scoring_outbox (job_id, row_id, key, payload)
SELECT r.job_id, r.row_id, r.key, r.payload
FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS r (job_id uuid, row_id uuid, key text, payload text, run_at timestamptz, project_key text, run_id uuid)
WHERE NOT EXISTS (SELECT FROM agent_run_log AS l WHERE l.id = r.row_id)
  AND NOT EXISTS (
      SELECT FROM erased_run AS e
      WHERE e.project_key = r.project_key AND e.run_id = r.run_id AND r.run_at <= e.erased_at
  )
ORDER BY r.row_id
ON CONFLICT (job_id) DO NOTHING
