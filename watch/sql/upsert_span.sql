INSERT INTO pipeline_span (began_at, reached_at)
VALUES (%(began_at)s, %(reached_at)s)
ON CONFLICT (began_at) DO UPDATE SET reached_at = greatest(pipeline_span.reached_at, excluded.reached_at)
