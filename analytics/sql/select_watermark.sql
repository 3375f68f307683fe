-- The watermark, NULL where there is none, and the database's time.
SELECT max(reached_at) AS as_of, now() AS read_at
FROM pipeline_span
