DELETE FROM refused_event AS held
USING jsonb_to_recordset(%(rows)s::jsonb)
    AS r (project_key text, run_id uuid, log_partition integer, before_offset bigint)
WHERE held.project_key = r.project_key
  AND held.run_id = r.run_id
  AND held.log_partition = r.log_partition
  AND held.log_offset < r.before_offset
