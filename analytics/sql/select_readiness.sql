-- Whether the newest of the tables can be read.
SELECT count(*) >= 0 AS is_ready FROM (SELECT FROM run_rollup LIMIT 1) AS any_row
