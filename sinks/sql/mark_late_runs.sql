WITH r AS (
    SELECT *
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, run_id uuid, born_offset bigint)
),
pruned AS (
    UPDATE pruned_run AS held
    SET late_events = true
    FROM r
    WHERE held.project_key = r.project_key AND held.run_id = r.run_id AND NOT held.late_events
)
UPDATE agent_run AS held
SET late_events = true
FROM r
WHERE held.project_key = r.project_key
  AND held.run_id = r.run_id
  AND held.born_offset <> r.born_offset
  AND NOT held.late_events
