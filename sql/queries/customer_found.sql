-- $1 records that were found -> how each is shown, by customer
SELECT jsonb_build_object('customer_id', r.customer_id, 'record_id', r.record_id,
                          'kind', CASE r.kind WHEN 2 THEN 'company' ELSE 'person' END, 'source', s.name,
                          'external_id', r.external_id,
                          'name', coalesce(max(v.value ->> 2) FILTER (WHERE v.value ->> 0 = CASE r.kind WHEN 2 THEN 'company' ELSE 'full_name' END),
                                           max(v.value ->> 2) FILTER (WHERE v.value ->> 0 IN ('full_name', 'company'))),
                          'contact', max(v.value ->> 2) FILTER (WHERE v.value ->> 0 IN ('phone', 'email')))
FROM tributary.record r
JOIN tributary.source s USING (source_id)
LEFT JOIN LATERAL json_array_elements(coalesce(r.clean::json, r.clean_json) -> 'v') v ON true
WHERE r.record_id = ANY ($1::bigint[]) AND r.customer_id IS NOT NULL
GROUP BY r.record_id, s.name ORDER BY r.customer_id, r.record_id
