-- $1 how many -> ids for decisions, ascending
SELECT nextval(pg_get_serial_sequence('tributary.decision', 'decision_id')) FROM generate_series(1, $1::integer) ORDER BY 1
