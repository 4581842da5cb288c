-- $1 older than (ms), $2 rows
DELETE FROM tributary.reject WHERE reject_id IN (
    SELECT reject_id FROM tributary.reject WHERE at < now() - $1::bigint * interval '1 millisecond'
    ORDER BY reject_id LIMIT $2::integer)
