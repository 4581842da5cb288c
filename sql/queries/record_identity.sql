-- $1 record ids -> who they are, with their values
SELECT jsonb_build_object('record_id', r.record_id, 'customer_id', r.customer_id, 'source', s.name,
    'external_id', r.external_id, 'part', r.part, 'effective_at', r.effective_at,
    'values', (SELECT coalesce(jsonb_object_agg(n.name, n.vals), '{}') FROM (
        SELECT v.value ->> 0 AS name, string_agg(v.value ->> 2, ', ' ORDER BY v.ordinality) AS vals
        FROM json_array_elements(r.clean -> 'v') WITH ORDINALITY v GROUP BY 1) n))
FROM tributary.record r JOIN tributary.source s USING (source_id)
WHERE r.record_id = ANY ($1::bigint[]) ORDER BY array_position($1::bigint[], r.record_id)
