-- $1 sink, $2 seqs -> how many events are due again, sinks found. Only such as the cursor has passed.
WITH touched AS (
    UPDATE tributary.sink SET updated_at = clock_timestamp() WHERE name = $1::text RETURNING cursor_seq
), again AS (
    INSERT INTO tributary.sink_parked (sink, seq, customer_id, next_at)
    SELECT DISTINCT $1::text, e.seq, e.customer_id, now()
    FROM tributary.event e, touched t
    WHERE e.seq = ANY ($2::bigint[]) AND e.seq <= t.cursor_seq
    ON CONFLICT (sink, seq) DO UPDATE SET dead = false, attempts = 0, next_at = now(), last_error = ''
    RETURNING 1
)
SELECT (SELECT count(*) FROM again), (SELECT count(*) FROM touched)
