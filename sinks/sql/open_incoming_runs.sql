-- Where a batch's runs wait for the statement that takes them: of this connection alone, and empty after each commit.
CREATE TEMP TABLE incoming_run (LIKE agent_run) ON COMMIT DELETE ROWS
