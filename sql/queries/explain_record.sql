-- $1 record ids -> one object each: what the source says, after the rules
SELECT jsonb_build_object('record_id', r.record_id, 'source', s.name, 'external_id', r.external_id, 'part', r.part,
    'space', r.space, 'kind', CASE r.kind WHEN 2 THEN 'company' ELSE 'person' END, 'customer_id', r.customer_id,
    'version', r.version, 'effective_at', r.effective_at, 'deleted', (r.flags & 1) <> 0,
    'values', (SELECT coalesce(jsonb_agg(jsonb_build_object('field', v.value ->> 0, 'value', v.value ->> 2,
                          'evidence', ((v.value ->> 1)::integer & 31) = 0) ORDER BY v.ordinality), '[]')
               FROM json_array_elements(coalesce(r.clean::json, r.clean_json) -> 'v') WITH ORDINALITY v))
FROM tributary.record r JOIN tributary.source s USING (source_id)
WHERE r.record_id = ANY ($1::bigint[])
