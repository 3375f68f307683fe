-- Posts that are due and not made, and those given up since yesterday.
SELECT
    count(*) FILTER (WHERE is_due)::integer AS overdue,
    EXTRACT(EPOCH FROM clock_timestamp() - min(next_attempt_at) FILTER (WHERE is_due))::float AS overdue_seconds,
    count(*) FILTER (WHERE given_up_at IS NOT NULL)::integer AS given_up,
    max(last_error) FILTER (WHERE given_up_at IS NOT NULL) AS last_error
FROM (
    SELECT
        next_attempt_at,
        given_up_at,
        last_error,
        delivered_at IS NULL AND given_up_at IS NULL AND next_attempt_at < now() AS is_due
    FROM webhook_delivery
    WHERE (delivered_at IS NULL AND given_up_at IS NULL) OR given_up_at > now() - interval '1 day'
) AS delivery
