-- 0011_works_for: one employer record for all of a source's records that say the same of a company.

-- Which employer a person's record names.
CREATE TABLE tributary.works_for (
    record_id bigint PRIMARY KEY,
    employer_id bigint NOT NULL
);
CREATE INDEX works_for_employer ON tributary.works_for (employer_id);

-- Employers made one for each person's record, as before, stay as companies of their source; the others are made anew.
UPDATE tributary.record SET flags = flags & ~32 WHERE (flags & 32) <> 0;
UPDATE tributary.source SET employers = false WHERE employers;

COMMENT ON COLUMN tributary.record.flags IS '1 deleted, 2 from a lead-making source, 4 back-fill, 8 test, 16 from a verified source, 32 employer: a company that records of the same source name, see works_for';
COMMENT ON COLUMN golden.record_customer.external_id IS 'The source''s own key of the record; employer:HASH is a company that records of the source name.';
COMMENT ON COLUMN golden.record_customer.part IS 'Role of the party in its delivery; main when there is one; employer where records of the source name the company.';

CREATE OR REPLACE VIEW golden.works_for AS
SELECT p.customer_id AS person_id, e.customer_id AS company_id,
       (array_agg(j.job_title ORDER BY p.effective_at DESC, p.record_id)
            FILTER (WHERE j.job_title IS NOT NULL))[1] AS job_title,
       min(p.effective_at) AS since, max(p.effective_at) AS last_seen,
       count(*)::integer AS record_count,
       array_agg(DISTINCT s.name ORDER BY s.name) AS sources,
       array_agg(p.record_id ORDER BY p.record_id) AS person_records,
       array_agg(DISTINCT e.record_id ORDER BY e.record_id) AS company_records
FROM tributary.works_for w
JOIN tributary.record p ON p.record_id = w.record_id
JOIN tributary.record e ON e.record_id = w.employer_id
JOIN tributary.source s ON s.source_id = p.source_id
LEFT JOIN LATERAL (SELECT v.value ->> 2 AS job_title FROM json_array_elements(p.clean -> 'v') v
                   WHERE v.value ->> 0 = 'job_title' LIMIT 1) j ON true
WHERE e.customer_id IS NOT NULL AND p.customer_id IS NOT NULL
GROUP BY p.customer_id, e.customer_id;
COMMENT ON COLUMN golden.works_for.company_records IS 'The records of the company that those name: of part employer, one for each way of naming it.';
