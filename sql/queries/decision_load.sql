SELECT decision_id, kind = 'always', a_source, a_external_id, a_part, b_source, b_external_id, b_part
FROM tributary.decision WHERE retracted_at IS NULL ORDER BY decision_id
