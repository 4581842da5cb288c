-- $1 batch_id, $2 source ids, $3 received, $4 pending
INSERT INTO tributary.batch_source (batch_id, source_id, received, pending)
SELECT $1::bigint, s::integer, r::integer, p::integer
FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS u (s, r, p)
