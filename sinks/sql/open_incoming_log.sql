-- The same for logged runs, each with the job that scores it if its row is new.
CREATE TEMP TABLE incoming_log (
    LIKE agent_run_log,
    job_id uuid NOT NULL,
    row_id uuid NOT NULL,
    key text NOT NULL,
    payload text NOT NULL
) ON COMMIT DELETE ROWS
