-- $1 after seq, $2 customer (0: all), $3 pattern of types, $4 rows
SELECT e.seq, e.at, e.type, coalesce(e.customer_id, 0), s.name,
       (SELECT b.data FROM tributary.event_body b WHERE b.seq = e.seq AND b.at = e.at)
FROM tributary.event e LEFT JOIN tributary.source s ON s.source_id = e.source_id
WHERE e.seq > $1::bigint AND ($2::bigint = 0 OR e.customer_id = $2::bigint) AND e.type LIKE $3::text
ORDER BY e.seq LIMIT $4::integer
