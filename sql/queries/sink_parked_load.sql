-- $1 sink, $2 rows
SELECT seq, coalesce(customer_id, 0), attempts, next_at, coalesce(last_status, 0)
FROM tributary.sink_parked WHERE sink = $1::text AND NOT dead ORDER BY seq LIMIT $2::integer
