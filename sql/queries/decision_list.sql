-- $1 limit
SELECT to_jsonb(d) FROM tributary.decision d ORDER BY d.decision_id DESC LIMIT $1::integer
