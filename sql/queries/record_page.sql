-- Everything another generation reads of records, a page at a time: $1 after this record id, $2 how many, $3 the raw
-- bytes of the version that stands, too. The first ten columns are those of record_load.
SELECT r.record_id, r.source_id,
       r.flags | CASE WHEN r.assignment_id IS NOT NULL THEN 64 ELSE 0 END,
       coalesce(r.customer_id, 0), r.effective_at, r.content_hash,
       r.lead_at IS NOT NULL, r.external_id, r.part, r.features, coalesce(r.clean, r.clean_json::text),
       r.kind, w.meta, w.body, coalesce(l.layout, '')
FROM (SELECT * FROM tributary.record WHERE record_id > $1::bigint ORDER BY record_id LIMIT $2::integer) r
LEFT JOIN tributary.raw w ON $3::boolean AND w.accept_seq = r.accept_seq AND w.refusal IS NULL
LEFT JOIN tributary.layout l ON l.layout_id = w.layout_id
ORDER BY r.record_id
