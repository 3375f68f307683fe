-- How the figures of a run came about: the sum of its reports, and what its end says.
-- %(project_key)s: text, %(run_id)s: uuid.
SELECT r.reported,
       r.reported_cost_source,
       r.final,
       r.final_cost_source,
       r.inferred,
       r.clock_clamped,
       r.events AS event_count,
       EXISTS (
           SELECT FROM agent_run AS parent WHERE parent.project_key = r.project_key AND parent.run_id = r.parent_run_id
       ) AS parent_known,
       (
           SELECT count(*)
           FROM (
               -- A bound on the work: who orchestrates may have started a great many.
               SELECT FROM agent_run AS child
               WHERE child.project_key = r.project_key AND child.parent_run_id = r.run_id
               LIMIT 1001
           ) AS started
       ) AS child_count
FROM agent_run AS r
WHERE r.project_key = %(project_key)s AND r.run_id = %(run_id)s
