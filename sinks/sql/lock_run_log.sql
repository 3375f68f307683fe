-- Logged runs go on beside each other, but not beside scores and erasures: either would miss a row not yet committed.
SELECT CASE WHEN %(alone)s THEN pg_advisory_xact_lock(5902317461) ELSE pg_advisory_xact_lock_shared(5902317461) END
