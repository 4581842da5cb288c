-- $1 record ids, $2 now
UPDATE tributary.record SET lead_at = $2::timestamptz WHERE record_id = ANY ($1::bigint[]) AND lead_at IS NULL
