-- $1 limit
SELECT jsonb_build_object('review_id', v.review_id, 'a', v.a, 'b', v.b,
    'reason', (ARRAY['doubtful', 'never', 'identity', 'size', 'name'])[v.reason], 'weight', v.weight,
    'bridge', CASE WHEN v.bridge_a IS NOT NULL THEN jsonb_build_array(v.bridge_a, v.bridge_b) END,
    'opened_at', v.opened_at,
    'a_customer', ra.customer_id, 'b_customer', rb.customer_id,
    'a_name', (SELECT x.value ->> 2 FROM json_array_elements(coalesce(ra.clean::json, ra.clean_json) -> 'v') x WHERE x.value ->> 0 IN ('full_name', 'company') LIMIT 1),
    'b_name', (SELECT x.value ->> 2 FROM json_array_elements(coalesce(rb.clean::json, rb.clean_json) -> 'v') x WHERE x.value ->> 0 IN ('full_name', 'company') LIMIT 1))
FROM tributary.review v
JOIN tributary.record ra ON ra.record_id = v.a
JOIN tributary.record rb ON rb.record_id = v.b
ORDER BY v.weight DESC, v.review_id LIMIT $1::integer
