-- $1 sink, $2 rows -> its dead letters, oldest first
SELECT jsonb_build_object('seq', p.seq, 'at', e.at, 'type', e.type, 'customer_id', p.customer_id,
                          'attempts', p.attempts, 'status', p.last_status, 'error', p.last_error)
FROM (SELECT * FROM tributary.sink_parked d WHERE d.sink = $1::text AND d.dead ORDER BY d.seq LIMIT $2::integer) p
LEFT JOIN tributary.event e ON e.seq = p.seq
ORDER BY p.seq
