-- $1 older than (ms)
DELETE FROM tributary.history WHERE at < now() - $1::bigint * interval '1 millisecond'
