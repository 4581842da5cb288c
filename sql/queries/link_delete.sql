-- $1 a, $2 b
DELETE FROM tributary.link l USING unnest($1::bigint[], $2::bigint[]) AS u (a, b)
WHERE l.a = u.a AND l.b = u.b
