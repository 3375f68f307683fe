SELECT topic, partition, next_offset
FROM consumer_offset
WHERE topic = ANY(%(topics)s)
