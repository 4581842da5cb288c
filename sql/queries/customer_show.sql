-- $1 record or customer id -> one object: the customer it is in, its records, their links, provenance, redirect; of a
-- person whom it works for, of a company the people known there (the 200 seen last). Marks are why a value is
-- no evidence: 1 masked, 2 names nobody, 4 virtual, 8 encrypted, 16 invalid
SELECT jsonb_build_object(
    'asked', $1::bigint, 'customer_id', c.customer_id,
    'customer', to_jsonb(g),
    'records', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'record_id', r.record_id, 'source', s.name, 'external_id', r.external_id, 'part', r.part,
            'effective_at', r.effective_at, 'version', r.version, 'lead_at', r.lead_at,
            'values', (SELECT coalesce(jsonb_agg(jsonb_build_array(v.value ->> 0, v.value ->> 2, (v.value ->> 1)::integer & 31)
                                                 ORDER BY v.ordinality), '[]')
                       FROM json_array_elements(coalesce(r.clean::json, r.clean_json) -> 'v') WITH ORDINALITY v)) ORDER BY r.record_id), '[]')
        FROM tributary.record r JOIN tributary.source s USING (source_id) WHERE r.customer_id = c.customer_id),
    'links', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'a', l.a, 'b', l.b, 'reason', CASE l.reason WHEN 1 THEN 'score' ELSE 'decision' END,
            'weight', l.weight, 'evidence', coalesce(l.evidence::json, l.evidence_json), 'decision_id', l.decision_id,
            'generation', l.generation_id, 'linked_at', l.linked_at) ORDER BY l.a, l.b), '[]')
        FROM tributary.link l JOIN tributary.record r ON r.record_id = l.a WHERE r.customer_id = c.customer_id),
    'works_for', CASE c.kind WHEN 1 THEN (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'customer_id', w.company_id, 'name', to_jsonb(n) ->> 'company', 'job_title', w.job_title, 'since', w.since,
            'last_seen', w.last_seen, 'sources', w.sources) ORDER BY w.last_seen DESC, w.company_id), '[]')
        FROM golden.works_for w JOIN tributary.customer n ON n.customer_id = w.company_id
        WHERE w.person_id = c.customer_id) END,
    'people', CASE c.kind WHEN 2 THEN (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'customer_id', w.person_id, 'name', to_jsonb(n) ->> 'full_name', 'job_title', w.job_title, 'since', w.since,
            'last_seen', w.last_seen, 'sources', w.sources) ORDER BY w.last_seen DESC, w.person_id), '[]')
        FROM (SELECT * FROM golden.works_for w WHERE w.company_id = c.customer_id
              ORDER BY w.last_seen DESC, w.person_id LIMIT 200) w
        JOIN tributary.customer n ON n.customer_id = w.person_id) END,
    'provenance', (SELECT coalesce(jsonb_agg(to_jsonb(p) - 'customer_id' || jsonb_build_object('marks', (
            SELECT (m.value ->> 3)::integer & 31 FROM json_array_elements(coalesce(c.provenance::json, c.provenance_json)) m
            WHERE m.value ->> 0 = p.field AND m.value ->> 1 = p.value LIMIT 1))), '[]')
        FROM golden.provenance p WHERE p.customer_id = c.customer_id))
FROM tributary.record asked
JOIN tributary.customer c ON c.customer_id = asked.customer_id
JOIN golden.customer g ON g.customer_id = c.customer_id
WHERE asked.record_id = $1::bigint
