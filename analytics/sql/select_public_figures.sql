-- Successful runs since the start of the day, and the mean score since some quarter of an hour, over public projects.
-- It reads the rollup: at most some hundred rows a project and day, however many runs there were.
-- %(today)s: timestamptz, the start of a quarter; %(scored_since)s: likewise.
SELECT (coalesce(sum(r.success) FILTER (WHERE r.quarter >= %(today)s), 0))::bigint AS successful_runs,
       (coalesce(sum(r.scored) FILTER (WHERE r.quarter >= %(scored_since)s), 0))::bigint AS scored_runs,
       (sum(r.score_sum) FILTER (WHERE r.quarter >= %(scored_since)s)
           / nullif(sum(r.scored) FILTER (WHERE r.quarter >= %(scored_since)s), 0))::double precision AS mean_score
FROM project AS p
JOIN run_rollup AS r ON r.project_key = p.project_key
WHERE p.is_public AND r.quarter >= least(%(today)s::timestamptz, %(scored_since)s::timestamptz)
