-- $1 name, $2 $3 cursor and delivered as last saved, $4 $5 as they are now, $6 last delivery, $7 disabled, $8 reason.
-- Nothing may have moved them meanwhile; this same save may have, when its commit was not heard of.
UPDATE tributary.sink SET cursor_seq = $4::bigint, delivered = $5::bigint,
       last_delivered_at = coalesce($6::timestamptz, last_delivered_at),
       state = CASE WHEN $7::boolean THEN 'disabled' ELSE state END,
       reason = CASE WHEN $7::boolean THEN $8::text ELSE reason END
WHERE name = $1::text AND ((cursor_seq = $2::bigint AND delivered = $3::bigint) OR
                           (cursor_seq = $4::bigint AND delivered = $5::bigint))
