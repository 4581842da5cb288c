-- $1 sink, $2 seqs
DELETE FROM tributary.sink_parked WHERE sink = $1::text AND seq = ANY ($2::bigint[])
