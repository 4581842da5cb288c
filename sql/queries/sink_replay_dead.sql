-- $1 sink -> how many dead letters are due again
WITH again AS (
    UPDATE tributary.sink_parked SET dead = false, attempts = 0, next_at = now(), last_error = ''
    WHERE sink = $1::text AND dead RETURNING 1)
SELECT count(*) FROM again
