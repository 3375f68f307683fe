-- Recovered ones, with what was told of them.
WITH gone AS (
    DELETE FROM incident AS held
    USING (
        SELECT incident_id
        FROM incident
        WHERE project_key = %(project_key)s AND state = 'recovered' AND recovered_at < %(before)s AND changed_at < %(before)s
        LIMIT %(limit)s
    ) AS old
    WHERE held.incident_id = old.incident_id
    RETURNING held.incident_id
),
told AS (
    DELETE FROM webhook_delivery AS held
    USING gone
    WHERE held.incident_id = gone.incident_id
)
SELECT count(*) FROM gone
