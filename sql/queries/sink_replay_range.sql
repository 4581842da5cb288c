-- $1 sink, $2 from, $3 to (0: the last) -> how many events are due again, sinks found. Only such as the cursor has passed: the
-- others come anyway. What the dispatcher must see is told by updated_at.
WITH touched AS (
    UPDATE tributary.sink SET updated_at = clock_timestamp() WHERE name = $1::text RETURNING cursor_seq
), again AS (
    INSERT INTO tributary.sink_parked (sink, seq, customer_id, next_at)
    SELECT $1::text, e.seq, e.customer_id, now()
    FROM touched t JOIN tributary.event e ON e.seq BETWEEN $2::bigint AND least(t.cursor_seq, nullif($3::bigint, 0))
    ORDER BY e.seq LIMIT 100000
    ON CONFLICT (sink, seq) DO UPDATE SET dead = false, attempts = 0, next_at = now(), last_error = ''
    RETURNING 1
)
SELECT (SELECT count(*) FROM again), (SELECT count(*) FROM touched)
