-- Everything the index is rebuilt from, in order of record id
COPY (
    SELECT record_id, source_id,
           flags | CASE WHEN assignment_id IS NOT NULL THEN 64 ELSE 0 END,
           coalesce(customer_id, 0), effective_at, content_hash,
           lead_at IS NOT NULL, external_id, part, features
    FROM tributary.record ORDER BY record_id
) TO STDOUT (FORMAT binary)
