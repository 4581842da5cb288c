-- $1 batch ids
UPDATE tributary.batch SET resolved_at = now() WHERE batch_id = ANY ($1::bigint[])
