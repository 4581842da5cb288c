-- $1, $2 record ids -> the open review of that pair
SELECT jsonb_build_object('review_id', v.review_id, 'reason', (ARRAY['doubtful', 'never', 'identity', 'size', 'name'])[v.reason],
    'weight', v.weight, 'opened_at', v.opened_at,
    'bridge', CASE WHEN v.bridge_a IS NOT NULL THEN jsonb_build_array(v.bridge_a, v.bridge_b) END)
FROM tributary.review v
WHERE v.a = least($1::bigint, $2::bigint) AND v.b = greatest($1::bigint, $2::bigint)
