-- $1 after seq, $2 up to seq, $3 patterns of types, $4 sources (none: all), $5 rows, $6 bytes of bodies, $7 bodies wanted.
-- `is_test`: every record of the customer is a test. `others`: the customers the body names besides its own. `total` is the number
-- of rows before they were cut to the bytes.
SELECT w.seq, w.at, coalesce(w.customer_id, 0), w.type, coalesce(w.source, ''), w.data, coalesce(r.space, ''),
       CASE WHEN (r.flags & 8) <> 0 THEN
           NOT EXISTS (SELECT FROM tributary.record m WHERE m.customer_id = r.customer_id AND (m.flags & 9) = 0)
       ELSE false END AS is_test,
       true AS is_named,
       CASE WHEN w.type IN ('customer.merged', 'lead.merged') THEN w.data ->> 'merged'
            WHEN w.type = 'customer.split' AND json_typeof(w.data -> 'records') = 'object' THEN
                (SELECT string_agg(DISTINCT v.value, ',') FROM json_each_text(w.data -> 'records') v) END AS others,
       w.total, coalesce(r.kind, 0)::integer AS kind
FROM (SELECT f.*, count(*) OVER () AS total, row_number() OVER (ORDER BY f.seq) AS place,
             sum(coalesce(pg_column_size(f.data), 0)) OVER (ORDER BY f.seq) AS bytes
      FROM (SELECT e.seq, e.at, e.customer_id, e.type, s.name AS source,
                   CASE WHEN $7::boolean THEN coalesce(e.data::json, (SELECT b.data FROM tributary.event_body b
                                                                      WHERE b.seq = e.seq AND b.at = e.at)) END AS data
            FROM tributary.event e LEFT JOIN tributary.source s ON s.source_id = e.source_id
            CROSS JOIN (SELECT ARRAY(SELECT o.source_id FROM tributary.source o WHERE o.name = ANY ($4::text[])) AS ids) w
            WHERE e.seq > $1::bigint AND e.seq <= $2::bigint AND e.type LIKE ANY ($3::text[])
              AND ($4::text[] = '{}' OR e.source_id = ANY (w.ids) OR e.sources && w.ids)
            ORDER BY e.seq LIMIT $5::integer) f) w
LEFT JOIN tributary.record r ON r.record_id = w.customer_id
WHERE w.bytes <= $6::bigint OR w.place = 1
ORDER BY w.seq
