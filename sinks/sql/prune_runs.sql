WITH gone AS (
    DELETE FROM agent_run AS held
    USING jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, run_id uuid)
    WHERE held.project_key = r.project_key AND held.run_id = r.run_id
    RETURNING held.project_key, held.agent_id, held.heard_at
),
heard AS (
    UPDATE agent AS held
    SET heard_at = greatest(held.heard_at, last.heard_at)
    FROM (
        SELECT project_key, agent_id, max(heard_at) AS heard_at
        FROM gone
        WHERE agent_id IS NOT NULL
        GROUP BY project_key, agent_id
    ) AS last
    WHERE held.project_key = last.project_key AND held.agent_id = last.agent_id
)
SELECT count(*) FROM gone
