UPDATE scoring_outbox
SET sent_at = clock_timestamp()
WHERE id = ANY (%(ids)s::bigint[])
