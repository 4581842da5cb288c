-- The same as record_page of some records: $1 record ids, $2 the raw bytes too
SELECT r.record_id, r.source_id,
       r.flags | CASE WHEN r.assignment_id IS NOT NULL THEN 64 ELSE 0 END,
       coalesce(r.customer_id, 0), r.effective_at, r.content_hash,
       r.lead_at IS NOT NULL, r.external_id, r.part, r.features, coalesce(r.clean, r.clean_json::text),
       r.kind, w.meta, w.body, coalesce(l.layout, '')
FROM tributary.record r
LEFT JOIN tributary.raw w ON $2::boolean AND w.accept_seq = r.accept_seq AND w.refusal IS NULL
LEFT JOIN tributary.layout l ON l.layout_id = w.layout_id
WHERE r.record_id = ANY ($1::bigint[])
ORDER BY r.record_id
