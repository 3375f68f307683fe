DELETE FROM scoring_outbox AS held
USING jsonb_to_recordset(%(rows)s::jsonb) AS r (row_id uuid)
WHERE held.row_id = r.row_id AND NOT EXISTS (SELECT FROM agent_run_log AS l WHERE l.id = r.row_id)
