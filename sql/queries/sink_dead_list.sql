-- $1 sink, $2 rows
SELECT p.seq, e.at, coalesce(e.type, ''), coalesce(p.customer_id, 0), p.attempts, coalesce(p.last_status, 0), p.last_error
FROM (SELECT * FROM tributary.sink_parked d WHERE d.sink = $1::text AND d.dead ORDER BY d.seq LIMIT $2::integer) p
LEFT JOIN tributary.event e ON e.seq = p.seq
ORDER BY p.seq
