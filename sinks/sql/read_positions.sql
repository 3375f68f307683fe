SELECT o.topic, o.partition, o.next_offset, o.topic_id, o.partition_count
FROM consumer_offset AS o
JOIN jsonb_to_recordset(%(sources)s::jsonb) AS wanted (topic text, partition integer) USING (topic, partition)
