-- $1 what is looked for, $2 the same as a pattern, $3 limit
SELECT jsonb_build_object('customer_id', r.customer_id, 'record_id', r.record_id, 'source', s.name,
                          'external_id', r.external_id, 'name', max(v.value ->> 2) FILTER (WHERE v.value ->> 0 IN ('full_name', 'company')),
                          'contact', max(v.value ->> 2) FILTER (WHERE v.value ->> 0 IN ('phone', 'email')))
FROM tributary.record r
JOIN tributary.source s USING (source_id)
CROSS JOIN LATERAL json_array_elements(r.clean -> 'v') v
WHERE r.customer_id IS NOT NULL
  AND (r.external_id = $1::text
       OR EXISTS (SELECT FROM json_array_elements(r.clean -> 'v') w
                  WHERE w.value ->> 0 IN ('full_name', 'company', 'email', 'phone', 'wechat_id', 'member_no')
                    AND (w.value ->> 2 ILIKE $2::text OR w.value ->> 3 ILIKE $2::text)))
GROUP BY r.record_id, s.name ORDER BY r.customer_id, r.record_id LIMIT $3::integer
