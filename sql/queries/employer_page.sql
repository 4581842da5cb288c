-- $1 source_id, $2 the last record id seen, $3 limit -> live records of people, each with what its employer says as
-- it stands ('' none): record_id, external_id, part, accept_seq, of a test, clean, employer's clean
SELECT p.record_id, p.external_id, p.part, p.accept_seq, (p.flags & 8) <> 0, p.clean, coalesce(e.clean::text, '')
FROM tributary.record p
LEFT JOIN tributary.record e ON e.external_id = p.external_id AND e.source_id = p.source_id
                            AND e.part = p.part || '/employer' AND e.customer_id IS NOT NULL
WHERE p.source_id = $1::integer AND p.record_id > $2::bigint AND (p.flags & 33) = 0
ORDER BY p.record_id LIMIT $3::integer
