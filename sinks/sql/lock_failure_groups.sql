-- What changes a group's state goes alone: of a failure and a completed run written at the same time, each would miss
-- the other. Other ended runs only look whether they are concerned, and do so beside each other.
SELECT CASE WHEN %(alone)s THEN pg_advisory_xact_lock(5902317463) ELSE pg_advisory_xact_lock_shared(5902317463) END
