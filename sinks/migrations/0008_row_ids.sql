-- An index less to keep for each change of a run: nobody looks a run up by its row's id. It is made of the primary key, so
-- it is as unique as that.
ALTER TABLE agent_run DROP CONSTRAINT agent_run_row_id_key;
