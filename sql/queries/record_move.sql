-- $1 record ids, $2 customers (0: none)
UPDATE tributary.record r SET customer_id = nullif(u.customer_id, 0)
FROM unnest($1::bigint[], $2::bigint[]) AS u (record_id, customer_id)
WHERE r.record_id = u.record_id
