-- In one order for everybody, so that two consumers that want the same positions wait and never deadlock.
SELECT 1
FROM consumer_offset AS o
JOIN jsonb_to_recordset(%(moves)s::jsonb) AS m (topic text, partition integer) USING (topic, partition)
ORDER BY o.topic, o.partition
FOR UPDATE OF o
