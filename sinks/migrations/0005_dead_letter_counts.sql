-- How many dead letters a partition brought lately stands beside its position: a sink that stopped because there were
-- too many stops again after a restart, at the same record, instead of counting anew.

ALTER TABLE consumer_offset
    ADD COLUMN dead_letters_in_a_row integer NOT NULL DEFAULT 0,
    ADD COLUMN window_records        bigint  NOT NULL DEFAULT 0,
    ADD COLUMN window_dead_letters   bigint  NOT NULL DEFAULT 0;

COMMENT ON COLUMN consumer_offset.dead_letters_in_a_row IS 'Dead letters since the last good record.';
COMMENT ON COLUMN consumer_offset.window_records IS 'Records of the present window.';
COMMENT ON COLUMN consumer_offset.window_dead_letters IS 'Those of them that became dead letters.';
