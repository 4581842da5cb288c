-- $1 decision_id, $2 alone: else all that were decided together with it -> those that stand
SELECT d.decision_id FROM tributary.decision d
WHERE d.retracted_at IS NULL
  AND (d.decision_id = $1::bigint
       OR (NOT $2::boolean AND d.group_id = (SELECT o.group_id FROM tributary.decision o WHERE o.decision_id = $1::bigint)))
