-- $1 after this seq, $2 up to this -> type, how many
SELECT type, count(*) FROM tributary.event WHERE seq > $1::bigint AND seq <= $2::bigint GROUP BY type ORDER BY type
