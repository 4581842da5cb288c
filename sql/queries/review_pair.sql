-- $1 review_id -> a, b
SELECT a, b FROM tributary.review WHERE review_id = $1::bigint
