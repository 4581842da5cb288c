-- $1 record_id, $2 event_seq, $3 write_set
UPDATE tributary.counter c SET value = u.value
FROM (VALUES ('record_id', $1::bigint), ('event_seq', $2::bigint), ('write_set', $3::bigint)) AS u (name, value)
WHERE c.name = u.name
