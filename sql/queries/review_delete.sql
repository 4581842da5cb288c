-- $1 a, $2 b
DELETE FROM tributary.review v USING unnest($1::bigint[], $2::bigint[]) AS u (a, b)
WHERE v.a = u.a AND v.b = u.b
