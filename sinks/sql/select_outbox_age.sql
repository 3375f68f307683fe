SELECT extract(epoch FROM clock_timestamp() - created_at)
FROM scoring_outbox
WHERE sent_at IS NULL
ORDER BY id
LIMIT 1
