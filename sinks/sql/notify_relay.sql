SELECT pg_notify('scoring_outbox', '')
