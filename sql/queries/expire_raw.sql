-- $1 source_id, $2 older than (ms): raw bytes of resolved deliveries
DELETE FROM tributary.raw w
USING (SELECT accept_seq FROM tributary.raw
       WHERE source_id = $1::integer AND received_at < now() - $2::bigint * interval '1 millisecond'
         AND accept_seq < (SELECT coalesce(min(first_seq), 9223372036854775807) FROM tributary.batch
                           WHERE resolved_at IS NULL)
       LIMIT 20000) old
WHERE w.accept_seq = old.accept_seq
