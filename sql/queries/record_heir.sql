-- $1 deleted records, $2 the record each left its customer to (0: none)
UPDATE tributary.record r SET heir_id = nullif(u.heir_id, 0)
FROM unnest($1::bigint[], $2::bigint[]) AS u (record_id, heir_id)
WHERE r.record_id = u.record_id
