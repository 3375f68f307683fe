-- What a prune would delete from each table, as far as it can be told before.
WITH gone AS MATERIALIZED (
    SELECT project_key, run_id, row_id
    FROM prunable_run
    WHERE (%(project_key)s::text IS NULL OR project_key = %(project_key)s)
      AND heard_at < %(before)s
      AND last_logged_at < %(before)s
),
failed AS MATERIALIZED (
    SELECT f.project_key, f.run_id, f.event_id
    FROM run_failure AS f
    LEFT JOIN gone AS g USING (project_key, run_id)
    WHERE (%(project_key)s::text IS NULL OR f.project_key = %(project_key)s)
      AND (g.row_id IS NOT NULL OR f.logged_at < %(before)s AND (
          f.detached
          OR (SELECT true FROM pruned_run AS p WHERE p.project_key = f.project_key AND p.run_id = f.run_id LIMIT 1)
      ))
)
SELECT 'agent_run' AS name, count(*) AS rows FROM gone
UNION ALL
SELECT 'agent_run_log', count(*) FROM agent_run_log AS l JOIN gone AS g ON g.row_id = l.id
UNION ALL
SELECT 'scoring_outbox', count(*) FROM scoring_outbox AS o JOIN gone AS g USING (row_id)
UNION ALL
SELECT 'run_score', count(*) FROM run_score AS s JOIN gone AS g USING (row_id)
UNION ALL
SELECT 'run_failure', count(*) FROM failed
UNION ALL
SELECT 'incident', count(*)
FROM incident
WHERE (%(project_key)s::text IS NULL OR project_key = %(project_key)s)
  AND state = 'recovered' AND recovered_at < %(before)s AND changed_at < %(before)s
UNION ALL
SELECT 'run_event', count(*)
FROM run_event AS e
WHERE e.logged_at < %(before)s
  AND e.log_day <= (%(before)s::timestamptz AT TIME ZONE 'UTC')::date
  AND (%(project_key)s::text IS NULL OR e.project_key = %(project_key)s)
  AND (
      (e.project_key, e.run_id) IN (SELECT project_key, run_id FROM gone)
      OR (e.project_key, e.run_id, e.event_id) IN (SELECT project_key, run_id, event_id FROM failed)
      OR e.type = 'runledger.run.erased.v1'
  )
