SELECT
    count(*) FILTER (WHERE delivered_at IS NOT NULL) AS delivered,
    count(*) FILTER (WHERE delivered_at IS NULL AND given_up_at IS NULL) AS pending,
    count(*) FILTER (WHERE given_up_at IS NOT NULL) AS given_up,
    max(delivered_at) AS last_delivered_at,
    (array_agg(last_error ORDER BY created_at DESC) FILTER (WHERE delivered_at IS NULL AND last_error IS NOT NULL))[1]
        AS last_error
FROM webhook_delivery
WHERE project_key = %(project_key)s
