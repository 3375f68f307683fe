-- How far the sink has written the partitions of this ledger's topics, and of which topics.
SELECT topic, partition, next_offset, topic_id, partition_count
FROM consumer_offset
WHERE topic = ANY (%(topics)s)
