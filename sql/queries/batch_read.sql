-- $1 batch ids -> those that are not resolved yet, as batch_in_flight gives them
SELECT batch_id, live, accepted_at, first_seq, last_seq FROM tributary.batch
WHERE batch_id = ANY ($1::bigint[]) AND resolved_at IS NULL ORDER BY batch_id
