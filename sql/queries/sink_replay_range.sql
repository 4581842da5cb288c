-- $1 sink, $2 from, $3 to (0: the last) -> how many events are due again; only such as the cursor has passed
WITH again AS (
    INSERT INTO tributary.sink_parked (sink, seq, customer_id, next_at)
    SELECT k.name, e.seq, e.customer_id, now()
    FROM tributary.sink k JOIN tributary.event e ON e.seq BETWEEN $2::bigint AND least(k.cursor_seq, nullif($3::bigint, 0))
    WHERE k.name = $1::text
    ON CONFLICT (sink, seq) DO UPDATE SET dead = false, attempts = 0, next_at = now(), last_error = ''
    RETURNING 1)
SELECT count(*) FROM again
