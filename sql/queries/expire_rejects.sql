-- $1 older than (ms)
DELETE FROM tributary.reject WHERE reject_id IN (
    SELECT reject_id FROM tributary.reject WHERE at < now() - $1::bigint * interval '1 millisecond' LIMIT 20000)
