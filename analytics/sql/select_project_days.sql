-- A project's finished runs by day: from the rollup, so the same cost at ten rows and at ten million.
-- %(project_key)s: text, %(since)s: timestamptz, the start of a day, %(time_zone)s: text, in which days begin.
SELECT (r.quarter AT TIME ZONE %(time_zone)s::text)::date AS day,
       sum(r.runs)::bigint AS runs,
       sum(r.success)::bigint AS success,
       sum(r.partial)::bigint AS partial,
       sum(r.failed)::bigint AS failed,
       sum(r.scored)::bigint AS scored,
       (sum(r.score_sum) / nullif(sum(r.scored), 0))::double precision AS mean_score
FROM run_rollup AS r
WHERE r.project_key = %(project_key)s
  AND r.quarter >= %(since)s
GROUP BY 1
ORDER BY 1
