-- The dashboard tells how long scoring jobs wait. What a job holds stays for the relay alone.
GRANT SELECT (id, created_at, sent_at) ON scoring_outbox TO runledger_read;
