-- How far the sink has written the partitions of a ledger's topics, and when it last did.
-- %(prefix)s: text, with which the topics' names begin.
SELECT substr(topic, length(%(prefix)s::text) + 1) AS topic, partition, next_offset, updated_at
FROM consumer_offset
WHERE starts_with(topic, %(prefix)s)
ORDER BY topic, partition
