-- Sinks take it shared, with their positions (advance_positions.sql).
SELECT pg_advisory_xact_lock(5902317464)
