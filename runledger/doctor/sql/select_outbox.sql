-- Jobs that wait to be sent.
SELECT count(*)::integer AS jobs, EXTRACT(EPOCH FROM clock_timestamp() - min(created_at))::float AS oldest_seconds
FROM scoring_outbox
WHERE sent_at IS NULL
