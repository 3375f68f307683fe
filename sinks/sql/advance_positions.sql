-- Locked in one order by everybody, so that two consumers that want the same positions wait and never deadlock. And beside
-- each other, but never beside a prune: it would delete what they are about to look at.
WITH m AS (
    SELECT *
    FROM jsonb_to_recordset(%(moves)s::jsonb)
        AS m (
            topic text, partition integer, expected bigint, next_offset bigint,
            in_a_row integer, records bigint, dead_letters bigint
        )
),
apart AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(5902317464)
),
locked AS MATERIALIZED (
    SELECT o.topic, o.partition
    FROM apart
    CROSS JOIN consumer_offset AS o
    JOIN m USING (topic, partition)
    ORDER BY o.topic, o.partition
    FOR UPDATE OF o
)
UPDATE consumer_offset AS o
SET next_offset = m.next_offset,
    dead_letters_in_a_row = m.in_a_row,
    window_records = m.records,
    window_dead_letters = m.dead_letters,
    updated_at = now()
FROM m
JOIN locked USING (topic, partition)
WHERE o.topic = m.topic AND o.partition = m.partition AND (o.next_offset = m.expected OR %(unchecked)s)
