-- $1 source_id, $2 the last record id seen, $3 limit -> live records of people: record_id, external_id, part, accept_seq,
-- of a test, clean
SELECT record_id, external_id, part, accept_seq, (flags & 8) <> 0, coalesce(clean, clean_json::text)
FROM tributary.record
WHERE source_id = $1::integer AND record_id > $2::bigint AND (flags & 33) = 0
ORDER BY record_id LIMIT $3::integer
