-- When the pipeline listened. A bound on the work: what lies before the newest 10,000 spans counts as not listened to,
-- so that nobody is called quiet for it.
SELECT began_at, reached_at
FROM pipeline_span
ORDER BY began_at DESC
LIMIT 10000
