SELECT began_at, reached_at
FROM pipeline_span
ORDER BY began_at DESC
LIMIT 1
