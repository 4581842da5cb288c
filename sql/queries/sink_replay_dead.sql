-- $1 sink -> how many dead letters are due again, sinks found. What the dispatcher must see is told by updated_at.
WITH touched AS (
    UPDATE tributary.sink SET updated_at = clock_timestamp() WHERE name = $1::text RETURNING name
), again AS (
    UPDATE tributary.sink_parked p SET dead = false, attempts = 0, next_at = now(), last_error = ''
    FROM (SELECT d.seq FROM tributary.sink_parked d WHERE d.sink = $1::text AND d.dead ORDER BY d.seq LIMIT 100000) d
    WHERE p.sink = $1::text AND p.seq = d.seq
    RETURNING 1
)
SELECT (SELECT count(*) FROM again), (SELECT count(*) FROM touched)
