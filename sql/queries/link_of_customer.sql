-- $1 customer id -> the links inside it
SELECT jsonb_build_object('a', l.a, 'b', l.b, 'reason', CASE l.reason WHEN 1 THEN 'score' ELSE 'decision' END,
                          'weight', l.weight, 'evidence', coalesce(l.evidence::json, l.evidence_json), 'decision_id', l.decision_id)
FROM tributary.link l JOIN tributary.record r ON r.record_id = l.a
WHERE r.customer_id = $1::bigint ORDER BY l.a, l.b
