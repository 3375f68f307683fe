-- One watch at a time; the number is this table's own.
SELECT pg_advisory_xact_lock(hashtextextended('runledger.pipeline_span', 0))
