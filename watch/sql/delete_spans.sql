DELETE FROM pipeline_span
WHERE reached_at < %(before)s
