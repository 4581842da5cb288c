-- $1 sink, then columns: $2 seq, $3 customer, $4 attempts, $5 next (us since 1970; 0 none), $6 dead, $7 status, $8 error
INSERT INTO tributary.sink_parked (sink, seq, customer_id, attempts, next_at, dead, last_status, last_error)
SELECT $1::text, u.seq, nullif(u.customer, 0), u.attempts,
       CASE WHEN u.next_us > 0 THEN timestamptz '1970-01-01 00:00:00Z' + u.next_us * interval '1 microsecond' END,
       u.dead <> 0, nullif(u.status, 0), u.error
FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[])
     AS u (seq, customer, attempts, next_us, dead, status, error)
ON CONFLICT (sink, seq) DO UPDATE SET attempts = excluded.attempts, next_at = excluded.next_at, dead = excluded.dead,
       last_status = coalesce(excluded.last_status, tributary.sink_parked.last_status), last_error = excluded.last_error
