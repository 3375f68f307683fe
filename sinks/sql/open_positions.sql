INSERT INTO consumer_offset (topic, partition, next_offset, topic_id, partition_count)
SELECT topic, partition, next_offset, topic_id, partition_count
FROM jsonb_to_recordset(%(positions)s::jsonb)
    AS opened (topic text, partition integer, next_offset bigint, topic_id text, partition_count integer)
ORDER BY topic, partition
ON CONFLICT (topic, partition) DO NOTHING
