SELECT batch_id, live, accepted_at, first_seq, last_seq FROM tributary.batch
WHERE resolved_at IS NULL ORDER BY batch_id
