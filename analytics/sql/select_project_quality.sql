-- A project's mean score since some quarter of an hour, and as long before that: is the work getting better?
-- %(project_key)s: text, %(scored_since)s: timestamptz, the start of a quarter, %(scored_before)s: likewise, earlier.
SELECT coalesce(sum(r.scored) FILTER (WHERE r.quarter >= %(scored_since)s), 0)::bigint AS scored_runs,
       (sum(r.score_sum) FILTER (WHERE r.quarter >= %(scored_since)s)
        / nullif(sum(r.scored) FILTER (WHERE r.quarter >= %(scored_since)s), 0))::double precision AS mean_score,
       (sum(r.score_sum) FILTER (WHERE r.quarter < %(scored_since)s)
        / nullif(sum(r.scored) FILTER (WHERE r.quarter < %(scored_since)s), 0))::double precision AS mean_before
FROM run_rollup AS r
WHERE r.project_key = %(project_key)s
  AND r.quarter >= %(scored_before)s
