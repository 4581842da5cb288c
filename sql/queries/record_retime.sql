-- $1 record ids, $2 their effective times in microseconds
UPDATE tributary.record r SET effective_at = 'epoch'::timestamptz + u.effective_us * interval '1 microsecond'
FROM unnest($1::bigint[], $2::bigint[]) AS u (record_id, effective_us)
WHERE r.record_id = u.record_id
