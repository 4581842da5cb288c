-- After the pair $1, $2; $3 how many -> a, b, reason, weight, by pair
SELECT a, b, reason, weight FROM tributary.review WHERE (a, b) > ($1::bigint, $2::bigint) ORDER BY a, b LIMIT $3::integer
