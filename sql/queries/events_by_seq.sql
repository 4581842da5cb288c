-- $1 seqs. The columns of events_read, as far as a retry needs them.
SELECT e.seq, e.at, coalesce(e.customer_id, 0), e.type, coalesce(s.name, ''), b.data
FROM tributary.event e
LEFT JOIN tributary.event_body b ON b.seq = e.seq AND b.at = e.at
LEFT JOIN tributary.source s ON s.source_id = e.source_id
WHERE e.seq = ANY ($1::bigint[]) ORDER BY e.seq
