-- $1 limit, $2 type or empty (a * at its end stands for the rest), $3 customer or 0 -> the newest, oldest of them first
SELECT x.event FROM (
    SELECT e.seq, jsonb_build_object('seq', e.seq, 'at', e.at, 'type', e.type, 'customer_id', e.customer_id,
                                     'source', e.source, 'data', e.data) AS event
    FROM golden.event e
    WHERE ($2::text = '' OR e.type = $2::text
           OR (right($2::text, 1) = '*' AND starts_with(e.type, left($2::text, -1))))
      AND ($3::bigint = 0 OR e.customer_id = $3::bigint)
    ORDER BY e.seq DESC LIMIT $1::integer) x
ORDER BY x.seq
