SELECT
    o.topic, o.partition, o.next_offset, o.topic_id, o.partition_count,
    o.dead_letters_in_a_row, o.window_records, o.window_dead_letters
FROM consumer_offset AS o
JOIN jsonb_to_recordset(%(sources)s::jsonb) AS wanted (topic text, partition integer) USING (topic, partition)
