-- Failures of some kinds by day, since some time. Of each kind the newest so many are counted and no more, as a kind may
-- hold millions: where that is not all, counted_since is the time of the oldest one counted.
-- %(project_key)s: text, %(fingerprints)s: text[], %(since)s: timestamptz, %(time_zone)s: text, in which days begin,
-- %(limit)s: integer.
SELECT f.fingerprint,
       (f.occurred_at AT TIME ZONE %(time_zone)s::text)::date AS day,
       count(*) AS failures,
       CASE WHEN f.counted = %(limit)s THEN f.counted_since END AS counted_since
FROM unnest(%(fingerprints)s::text[]) AS wanted (fingerprint)
CROSS JOIN LATERAL (
    SELECT newest.*, count(*) OVER () AS counted, min(newest.occurred_at) OVER () AS counted_since
    FROM (
        SELECT fingerprint, occurred_at
        FROM run_failure
        WHERE project_key = %(project_key)s AND fingerprint = wanted.fingerprint AND occurred_at >= %(since)s
        ORDER BY occurred_at DESC
        LIMIT %(limit)s
    ) AS newest
) AS f
GROUP BY f.fingerprint, day, f.counted, f.counted_since
ORDER BY f.fingerprint, day
