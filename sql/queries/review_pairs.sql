-- After the pair $1, $2; $3 how many -> a, b, reason, weight, bridge_a, bridge_b, by pair
SELECT a, b, reason, weight, coalesce(bridge_a, 0), coalesce(bridge_b, 0) FROM tributary.review WHERE (a, b) > ($1::bigint, $2::bigint) ORDER BY a, b LIMIT $3::integer
