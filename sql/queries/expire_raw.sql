-- $1 after this seq, $2 rows looked over, $3 source ids, $4 older than (ms): raw bytes of resolved deliveries -> rows gone, the last seq
-- looked over, whether there may be more behind it. In order of seq, which is that of receipt but for a few.
WITH span AS MATERIALIZED (
    SELECT w.accept_seq, w.received_at, w.source_id FROM tributary.raw w
    WHERE w.accept_seq > $1::bigint
      AND w.accept_seq < (SELECT coalesce(min(b.first_seq), 9223372036854775807) FROM tributary.batch b WHERE b.resolved_at IS NULL)
    ORDER BY w.accept_seq LIMIT $2::integer),
gone AS (
    DELETE FROM tributary.raw w USING span s
    WHERE w.accept_seq = s.accept_seq AND w.received_at = s.received_at AND s.source_id::bigint = ANY ($3::bigint[])
      AND s.received_at < now() - $4::bigint * interval '1 millisecond'
    RETURNING 1)
SELECT (SELECT count(*) FROM gone), coalesce((SELECT max(accept_seq) FROM span), $1::bigint),
       (SELECT count(*) FROM span) = $2::integer
       AND EXISTS (SELECT FROM span WHERE received_at < now() - $4::bigint * interval '1 millisecond')
