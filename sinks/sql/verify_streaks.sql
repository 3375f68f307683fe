SELECT 'streak_differs' AS kind, s.project_key, s.run_id::text AS subject, d.field, d.expected::text, d.found::text
FROM recounted_streak AS s
JOIN agent_run_log AS l USING (project_key, run_id)
CROSS JOIN LATERAL (
    VALUES
        ('consecutive_silence_count', s.consecutive_silence_count, l.consecutive_silence_count::bigint, s.silence_known),
        ('consecutive_failure_count', s.consecutive_failure_count, l.consecutive_failure_count::bigint, s.failures_known)
) AS d (field, expected, found, is_known)
WHERE d.expected <> d.found
  AND d.is_known
  AND (s.project_key, s.agent_id) NOT IN (SELECT project_key, agent_id FROM uncompared_agent)
UNION ALL
-- A run counts as late only where 32 others of its agent ended after it, none of which was pruned; late ones carry no streak.
SELECT 'late_unfounded', l.project_key, l.run_id::text, 'late', 'false', 'true'
FROM agent_run_log AS l
LEFT JOIN (
    SELECT *, row_number() OVER (PARTITION BY project_key, agent_id ORDER BY place DESC) AS from_last
    FROM recounted_streak
) AS s ON s.project_key = l.project_key AND s.agent_id = l.agent_id AND s.from_last = 32
WHERE l.late
  AND NOT EXISTS (SELECT FROM pruned_agent AS p WHERE p.project_key = l.project_key AND p.agent_id = l.agent_id)
  AND (s.run_id IS NULL OR (s.ended_at, s.run_id) < (l.ended_at, l.run_id))
  AND (l.project_key, l.agent_id) NOT IN (SELECT project_key, agent_id FROM uncompared_agent)
UNION ALL
SELECT 'streak_differs', l.project_key, l.run_id::text, 'late', '0', l.consecutive_silence_count || ', ' || l.consecutive_failure_count
FROM agent_run_log AS l
WHERE l.late AND (l.consecutive_silence_count, l.consecutive_failure_count) <> (0, 0)
ORDER BY 1, 2, 3, 4
