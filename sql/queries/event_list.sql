-- $1 above this seq, $2 limit, $3 type or empty (a * at its end stands for the rest), $4 customer or 0 -> oldest first
SELECT jsonb_build_object('seq', e.seq, 'at', e.at, 'type', e.type, 'customer_id', e.customer_id,
                          'source', e.source, 'data', e.data)
FROM golden.event e
WHERE e.seq > $1::bigint
  AND ($3::text = '' OR e.type = $3::text
       OR (right($3::text, 1) = '*' AND starts_with(e.type, left($3::text, -1))))
  AND ($4::bigint = 0 OR e.customer_id = $4::bigint)
ORDER BY e.seq LIMIT $2::integer
