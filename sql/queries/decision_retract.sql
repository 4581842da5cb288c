-- $1 decision_id, $2 actor, $3 alone: else all that were decided together with it -> decision_id
UPDATE tributary.decision d SET retracted_at = now(), retracted_by = $2::text
WHERE d.retracted_at IS NULL
  AND (d.decision_id = $1::bigint
       OR (NOT $3::boolean AND d.group_id = (SELECT o.group_id FROM tributary.decision o WHERE o.decision_id = $1::bigint)))
RETURNING d.decision_id
