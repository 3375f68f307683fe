-- What changes whenever the sink has written something, how far the pipeline has come, and the database's time.
SELECT coalesce((SELECT sum(next_offset) FROM consumer_offset), 0)::bigint AS written,
       (SELECT max(reached_at) FROM pipeline_span) AS as_of,
       now() AS read_at
