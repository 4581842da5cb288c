-- $1 deleted records, $2 the record each left its customer to: also of those that had been left to them
UPDATE tributary.record r SET heir_id = u.heir_id
FROM unnest($1::bigint[], $2::bigint[]) AS u (record_id, heir_id)
WHERE r.heir_id = u.record_id AND u.heir_id <> 0
