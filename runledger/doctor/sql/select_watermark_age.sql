-- How long ago everything logged was known to stand in the tables.
SELECT EXTRACT(EPOCH FROM clock_timestamp() - max(reached_at))::float AS seconds FROM pipeline_span
