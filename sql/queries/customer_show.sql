-- $1 record or customer id -> one object: the customer it is in, its records, their links, provenance, redirect
SELECT jsonb_build_object(
    'asked', $1::bigint, 'customer_id', c.customer_id,
    'customer', to_jsonb(g),
    'records', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'record_id', r.record_id, 'source', s.name, 'external_id', r.external_id, 'part', r.part,
            'effective_at', r.effective_at, 'version', r.version, 'lead_at', r.lead_at,
            'values', (SELECT coalesce(jsonb_agg(jsonb_build_array(v.value ->> 0, v.value ->> 2) ORDER BY v.ordinality), '[]')
                       FROM json_array_elements(r.clean -> 'v') WITH ORDINALITY v)) ORDER BY r.record_id), '[]')
        FROM tributary.record r JOIN tributary.source s USING (source_id) WHERE r.customer_id = c.customer_id),
    'links', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'a', l.a, 'b', l.b, 'reason', CASE l.reason WHEN 1 THEN 'score' ELSE 'decision' END,
            'weight', l.weight, 'evidence', l.evidence, 'decision_id', l.decision_id,
            'generation', l.generation_id, 'linked_at', l.linked_at) ORDER BY l.a, l.b), '[]')
        FROM tributary.link l JOIN tributary.record r ON r.record_id = l.a WHERE r.customer_id = c.customer_id),
    'provenance', (SELECT coalesce(jsonb_agg(to_jsonb(p) - 'customer_id'), '[]')
        FROM golden.provenance p WHERE p.customer_id = c.customer_id))
FROM tributary.record asked
JOIN tributary.customer c ON c.customer_id = asked.customer_id
JOIN golden.customer g ON g.customer_id = c.customer_id
WHERE asked.record_id = $1::bigint
