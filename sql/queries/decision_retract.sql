-- $1 ids, $2 actor
UPDATE tributary.decision SET retracted_at = now(), retracted_by = $2::text
WHERE decision_id = ANY ($1::bigint[]) AND retracted_at IS NULL
