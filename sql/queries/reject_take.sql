-- $1 ids (none: all), $2 source or empty, $3 above and $4 up to this id, $5 limit -> open rejects to take in again.
-- The time of acceptance is the raw row's while that is kept, else the reject's own.
SELECT r.reject_id, r.source_id, r.record_no, coalesce(w.effective_at, w.received_at, r.at), coalesce(w.flags, 0)::integer, r.position,
       r.external_id, r.meta, r.body, coalesce(l.layout, '')
FROM tributary.reject r
JOIN tributary.source s USING (source_id)
LEFT JOIN tributary.layout l USING (layout_id)
LEFT JOIN LATERAL (SELECT x.received_at, x.effective_at, x.flags FROM tributary.raw x
                   WHERE x.accept_seq = r.accept_seq AND x.source_id = r.source_id LIMIT 1) w ON true
WHERE r.state = 'open' AND r.reject_id > $3::bigint AND r.reject_id <= $4::bigint
  AND (cardinality($1::bigint[]) = 0 OR r.reject_id = ANY ($1::bigint[]))
  AND ($2::text = '' OR s.name = $2::text)
ORDER BY r.reject_id LIMIT $5::integer
