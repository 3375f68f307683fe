-- The snapshot's tombstone ends the row of agent_run; a run that was heard of again afterwards comes behind it in the log.
-- When its agent was heard last stays: an erasure makes nobody quiet.
WITH gone AS (
    DELETE FROM agent_run AS held
    USING jsonb_to_recordset(%(rows)s::jsonb) AS r (project_key text, run_id uuid, snapshot boolean)
    WHERE held.project_key = r.project_key AND held.run_id = r.run_id AND r.snapshot
    RETURNING held.project_key, held.agent_id, held.heard_at
),
heard AS (
    SELECT project_key, agent_id, max(heard_at) AS heard_at
    FROM gone
    WHERE agent_id IS NOT NULL
    GROUP BY project_key, agent_id
),
-- Sorted, so that sinks which register the same agents wait and never deadlock.
locked AS MATERIALIZED (
    SELECT a.project_key, a.agent_id
    FROM agent AS a
    JOIN heard USING (project_key, agent_id)
    ORDER BY a.project_key, a.agent_id
    FOR UPDATE OF a
)
UPDATE agent AS held
SET heard_at = greatest(held.heard_at, heard.heard_at)
FROM heard
JOIN locked USING (project_key, agent_id)
WHERE held.project_key = heard.project_key AND held.agent_id = heard.agent_id
