-- Scoring jobs of all projects that wait to be sent: how many, up to a bound, and how long the oldest has waited.
-- %(limit)s: integer.
SELECT count(*) AS jobs, extract(epoch FROM clock_timestamp() - min(created_at))::float AS oldest_seconds
FROM (
    SELECT created_at
    FROM scoring_outbox
    WHERE sent_at IS NULL
    ORDER BY id
    LIMIT %(limit)s
) AS waiting
