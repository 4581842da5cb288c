-- 0013_texts: what the daemon encodes itself is kept as text, which the server does not parse again, and an event lies in one row
-- with its body. Changes catalogs only: rows that are there stay as they are, in the columns *_json and in event_body, and are
-- read from there until they are written again or past their retention.

ALTER TABLE tributary.record RENAME COLUMN clean TO clean_json;
ALTER TABLE tributary.record ALTER COLUMN clean_json DROP NOT NULL, ADD COLUMN clean text;
COMMENT ON COLUMN tributary.record.clean IS 'The record after the rules: rules/record_json.h. NULL: clean_json says it.';

ALTER TABLE tributary.link RENAME COLUMN evidence TO evidence_json;
ALTER TABLE tributary.link ALTER COLUMN evidence_json DROP NOT NULL, ADD COLUMN evidence text;
COMMENT ON COLUMN tributary.link.evidence IS 'JSON: [["comparison", "level", weight], ...]. NULL: evidence_json says it.';

ALTER TABLE tributary.customer RENAME COLUMN provenance TO provenance_json;
ALTER TABLE tributary.customer ALTER COLUMN provenance_json DROP NOT NULL, ADD COLUMN provenance text;
COMMENT ON COLUMN tributary.customer.provenance IS 'JSON: daemon/resolve/provenance.h. NULL: provenance_json says it.';

ALTER TABLE tributary.history RENAME COLUMN changes TO changes_json;
ALTER TABLE tributary.history ALTER COLUMN changes_json DROP NOT NULL, ADD COLUMN changes text;
COMMENT ON COLUMN tributary.history.changes IS 'JSON: {"field": [old, new], ...}; NULL: changes_json says it, or nothing did.';

ALTER TABLE tributary.event ADD COLUMN data text;
COMMENT ON COLUMN tributary.event.data IS 'The body, JSON. NULL: event_body has it, or it was erased.';
COMMENT ON TABLE tributary.event_body IS 'Bodies of events that were numbered before they had theirs with them.';

-- Nobody looks a link up by its second record.
DROP INDEX tributary.link_b;

-- In a new database nothing lies there: its partitions need not be.
DO $$
DECLARE
    child regclass;
BEGIN
    IF NOT EXISTS (SELECT FROM tributary.event_body) THEN
        FOR child IN SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = 'tributary.event_body'::regclass LOOP
            EXECUTE pg_catalog.format('DROP TABLE %s', child);
        END LOOP;
    END IF;
END $$;

CREATE OR REPLACE VIEW golden.identity AS
SELECT r.customer_id, v.value ->> 0 AS type, v.value ->> 2 AS value, s.name AS source, r.external_id,
       r.part AS role, (r.flags & 16) <> 0 AS verified, ((v.value ->> 1)::integer & 31) = 0 AS is_evidence
FROM tributary.record r
JOIN tributary.source s USING (source_id)
CROSS JOIN LATERAL json_array_elements(coalesce(r.clean::json, r.clean_json) -> 'v') v
WHERE r.customer_id IS NOT NULL
  AND v.value ->> 0 IN ('email', 'phone', 'wechat_id', 'wechat_openid', 'member_no')
UNION ALL
SELECT r.customer_id, 'external_id', r.external_id, s.name, r.external_id, r.part,
       (r.flags & 16) <> 0, false
FROM tributary.record r JOIN tributary.source s USING (source_id)
WHERE r.customer_id IS NOT NULL AND (r.flags & 32) = 0;

CREATE OR REPLACE VIEW golden.history AS
SELECT h.customer_id, h.version, h.at, h.what, h.actor, coalesce(h.changes::jsonb, h.changes_json::jsonb, '{}') AS changes, h.event_seq
FROM tributary.history h;

CREATE OR REPLACE VIEW golden.provenance AS
SELECT c.customer_id, p.value ->> 0 AS field, p.value ->> 1 AS value, (p.value ->> 2)::bigint AS record_id,
       s.name AS source, r.effective_at, (r.flags & 16) <> 0 AS verified,
       (p.value ->> 4)::integer AS agreeing_records, (p.value -> 5)::jsonb AS runners_up
FROM tributary.customer c
CROSS JOIN LATERAL json_array_elements(coalesce(c.provenance::json, c.provenance_json)) p
LEFT JOIN tributary.record r ON r.record_id = (p.value ->> 2)::bigint
LEFT JOIN tributary.source s USING (source_id);

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
LEFT JOIN LATERAL (SELECT v.value ->> 2 AS job_title
                   FROM json_array_elements(coalesce(p.clean::json, p.clean_json) -> 'v') v
                   WHERE v.value ->> 0 = 'job_title' LIMIT 1) j ON true
WHERE e.customer_id IS NOT NULL AND p.customer_id IS NOT NULL
GROUP BY p.customer_id, e.customer_id;

CREATE OR REPLACE VIEW golden.event AS
SELECT e.seq, e.at, e.type, e.customer_id, s.name AS source,
       coalesce(e.data::jsonb, (SELECT b.data::jsonb FROM tributary.event_body b WHERE b.seq = e.seq AND b.at = e.at)) AS data
FROM tributary.event e
LEFT JOIN tributary.source s USING (source_id);
