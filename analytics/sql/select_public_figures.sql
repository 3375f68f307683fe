-- Successful runs since the start of the day, and the mean score since some quarter of an hour, over public projects.
-- It reads the rollup: at most some hundred rows a project and day, however many runs there were. Lateral, so that each
-- project is one range of the key: a plan that joins the other way reads the rollup of all time.
-- %(today)s: timestamptz, the start of a quarter; %(scored_since)s: likewise.
SELECT coalesce(sum(f.success), 0)::bigint AS successful_runs,
       coalesce(sum(f.scored), 0)::bigint AS scored_runs,
       (sum(f.score_sum) / nullif(sum(f.scored), 0))::double precision AS mean_score
FROM project AS p
CROSS JOIN LATERAL (
    SELECT sum(r.success) FILTER (WHERE r.quarter >= %(today)s) AS success,
           sum(r.scored) FILTER (WHERE r.quarter >= %(scored_since)s) AS scored,
           sum(r.score_sum) FILTER (WHERE r.quarter >= %(scored_since)s) AS score_sum
    FROM run_rollup AS r
    WHERE r.project_key = p.project_key
      AND r.quarter >= least(%(today)s::timestamptz, %(scored_since)s::timestamptz)
) AS f
WHERE p.is_public
