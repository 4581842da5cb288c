-- $1 sink, $2 seqs -> how many events are due again, sinks found. What the dispatcher must see is told by updated_at.
WITH touched AS (
    UPDATE tributary.sink SET updated_at = clock_timestamp() WHERE name = $1::text RETURNING name
), again AS (
    INSERT INTO tributary.sink_parked (sink, seq, customer_id, next_at)
    SELECT t.name, e.seq, e.customer_id, now()
    FROM touched t, unnest($2::bigint[]) u (seq) JOIN tributary.event e ON e.seq = u.seq
    ON CONFLICT (sink, seq) DO UPDATE SET dead = false, attempts = 0, next_at = now(), last_error = ''
    RETURNING 1
)
SELECT (SELECT count(*) FROM again), (SELECT count(*) FROM touched)
