-- $1 what is looked for, $2 the same as a number or 0, $3 records that share a key of it, $4 the pattern they must show it by,
-- $5 limit. Goes by indexes only.
WITH found AS MATERIALIZED (
    (SELECT r.record_id FROM tributary.record r
     WHERE r.customer_id IS NOT NULL AND r.external_id = $1::text LIMIT $5::integer)
    UNION
    (SELECT r.record_id FROM tributary.record r WHERE r.customer_id IS NOT NULL AND r.record_id = $2::bigint)
    UNION
    (SELECT r.record_id FROM tributary.record r
     WHERE r.customer_id IS NOT NULL AND r.record_id = ANY ($3::bigint[])
       AND EXISTS (SELECT FROM json_array_elements(coalesce(r.clean::json, r.clean_json) -> 'v') w
                   WHERE w.value ->> 0 IN ('email', 'phone', 'wechat_id', 'member_no')
                     AND (w.value ->> 2 ILIKE $4::text OR w.value ->> 3 ILIKE $4::text))))
SELECT jsonb_build_object('customer_id', r.customer_id, 'record_id', r.record_id,
                          'kind', CASE r.kind WHEN 2 THEN 'company' ELSE 'person' END, 'source', s.name,
                          'external_id', r.external_id,
                          'name', coalesce(max(v.value ->> 2) FILTER (WHERE v.value ->> 0 = CASE r.kind WHEN 2 THEN 'company' ELSE 'full_name' END),
                                           max(v.value ->> 2) FILTER (WHERE v.value ->> 0 IN ('full_name', 'company'))),
                          'contact', max(v.value ->> 2) FILTER (WHERE v.value ->> 0 IN ('phone', 'email')))
FROM found
JOIN tributary.record r USING (record_id)
JOIN tributary.source s USING (source_id)
LEFT JOIN LATERAL json_array_elements(coalesce(r.clean::json, r.clean_json) -> 'v') v ON true
GROUP BY r.record_id, s.name ORDER BY r.customer_id, r.record_id LIMIT $5::integer
