-- Everything the index is rebuilt from, in order of record id. $1: the cleans too
SELECT record_id, source_id, flags, coalesce(customer_id, 0), effective_at, content_hash,
       lead_at IS NOT NULL, external_id, part, features, CASE WHEN $1::boolean THEN clean END
FROM tributary.record ORDER BY record_id
