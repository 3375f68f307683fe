UPDATE consumer_offset AS o
SET next_offset = m.next_offset, updated_at = now()
FROM jsonb_to_recordset(%(moves)s::jsonb)
    AS m (topic text, partition integer, expected bigint, next_offset bigint)
WHERE o.topic = m.topic AND o.partition = m.partition AND (o.next_offset = m.expected OR %(unchecked)s)
