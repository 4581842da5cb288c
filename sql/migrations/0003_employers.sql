-- 0003_employers: companies that people's records name, and who works for which.

COMMENT ON COLUMN tributary.record.flags IS '1 deleted, 2 from a lead-making source, 4 back-fill, 8 test, 16 from a verified source, 32 employer: the company that the record of the same source and external id and of the part before /employer names';
ALTER TABLE tributary.source ADD COLUMN employers boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN tributary.source.employers IS 'Whether the companies its records name are records now.';

COMMENT ON COLUMN golden.record_customer.part IS 'Role of the party in its delivery; main when there is one. PART/employer is the company that the record of that part names.';

-- An employer is found by its names; the person's external id stays the person's.
CREATE OR REPLACE VIEW golden.identity AS
SELECT r.customer_id, v.value ->> 0 AS type, v.value ->> 2 AS value, s.name AS source, r.external_id,
       r.part AS role, (r.flags & 16) <> 0 AS verified, ((v.value ->> 1)::integer & 31) = 0 AS is_evidence
FROM tributary.record r
JOIN tributary.source s USING (source_id)
CROSS JOIN LATERAL json_array_elements(r.clean -> 'v') v
WHERE r.customer_id IS NOT NULL
  AND v.value ->> 0 IN ('email', 'phone', 'wechat_id', 'wechat_openid', 'member_no')
UNION ALL
SELECT r.customer_id, 'external_id', r.external_id, s.name, r.external_id, r.part,
       (r.flags & 16) <> 0, false
FROM tributary.record r JOIN tributary.source s USING (source_id)
WHERE r.customer_id IS NOT NULL AND (r.flags & 32) = 0;

-- Customer ids of both sides are those of now: merges, splits and deletions need no repair here.
CREATE VIEW golden.works_for AS
SELECT p.customer_id AS person_id, e.customer_id AS company_id,
       (array_agg(j.job_title ORDER BY p.effective_at DESC, p.record_id)
            FILTER (WHERE j.job_title IS NOT NULL))[1] AS job_title,
       min(p.effective_at) AS since, max(p.effective_at) AS last_seen,
       count(*)::integer AS record_count,
       array_agg(DISTINCT s.name ORDER BY s.name) AS sources,
       array_agg(p.record_id ORDER BY p.record_id) AS person_records,
       array_agg(e.record_id ORDER BY p.record_id) AS company_records
FROM tributary.record e
JOIN tributary.record p ON p.external_id = e.external_id AND p.source_id = e.source_id
                       AND e.part = p.part || '/employer'
JOIN tributary.source s ON s.source_id = p.source_id
LEFT JOIN LATERAL (SELECT v.value ->> 2 AS job_title FROM json_array_elements(p.clean -> 'v') v
                   WHERE v.value ->> 0 = 'job_title' LIMIT 1) j ON true
WHERE (e.flags & 32) <> 0 AND e.customer_id IS NOT NULL AND p.customer_id IS NOT NULL
GROUP BY p.customer_id, e.customer_id;
COMMENT ON VIEW golden.works_for IS 'Which person works, or worked, for which company: one row a pair, from the records that say so.';
COMMENT ON COLUMN golden.works_for.person_id IS 'The person, as customer_id in golden.customer.';
COMMENT ON COLUMN golden.works_for.company_id IS 'The company, as customer_id in golden.customer.';
COMMENT ON COLUMN golden.works_for.job_title IS 'What the newest of those records that names one says the person is there.';
COMMENT ON COLUMN golden.works_for.since IS 'Effective time of the oldest record that says so as it stands.';
COMMENT ON COLUMN golden.works_for.last_seen IS 'Effective time of the newest; of several companies the one seen last is the present one.';
COMMENT ON COLUMN golden.works_for.record_count IS 'How many records say so.';
COMMENT ON COLUMN golden.works_for.sources IS 'Their sources.';
COMMENT ON COLUMN golden.works_for.person_records IS 'The person''s records that say so.';
COMMENT ON COLUMN golden.works_for.company_records IS 'The company as each of them names it, in the same order: records of part PART/employer.';
