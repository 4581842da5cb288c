-- 0002_golden: the views that do not depend on the configured fields, and the role that sees only them.
-- golden.customer itself is emitted from the field table by daemon/store/ddl.c.

CREATE VIEW golden.record_customer AS
SELECT s.name AS source, r.external_id, r.part, r.customer_id, r.record_id, r.effective_at, r.version,
       s.lawful_basis
FROM tributary.record r JOIN tributary.source s USING (source_id)
WHERE r.customer_id IS NOT NULL;
COMMENT ON VIEW golden.record_customer IS 'Which customer each live source record belongs to.';
COMMENT ON COLUMN golden.record_customer.source IS 'Name of the source in the configuration.';
COMMENT ON COLUMN golden.record_customer.external_id IS 'The source''s own key of the record.';
COMMENT ON COLUMN golden.record_customer.part IS 'Role of the party in its delivery; main when there is one.';
COMMENT ON COLUMN golden.record_customer.customer_id IS 'The customer the record is in now.';
COMMENT ON COLUMN golden.record_customer.record_id IS 'Tributary''s number of the record; never reused.';
COMMENT ON COLUMN golden.record_customer.effective_at IS 'The source''s time of this version, else the time it was accepted.';
COMMENT ON COLUMN golden.record_customer.version IS 'How many versions of the record have been stored.';
COMMENT ON COLUMN golden.record_customer.lawful_basis IS 'On what ground its source''s data is held, as configured; NULL when the configuration does not say.';

-- Customer ids are record ids (the smallest in the customer), so a redirect is where that record is now.
CREATE VIEW golden.redirect AS
SELECT r.record_id AS old_id, r.customer_id
FROM tributary.record r WHERE r.customer_id IS DISTINCT FROM r.record_id;
COMMENT ON VIEW golden.redirect IS 'Every id that ever was or could have been a customer id and is not one now. Total, one step, no chains.';
COMMENT ON COLUMN golden.redirect.old_id IS 'An id that is not a living customer.';
COMMENT ON COLUMN golden.redirect.customer_id IS 'The living customer it stands for; NULL is a tombstone: deleted.';

CREATE VIEW golden.identity AS
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
WHERE r.customer_id IS NOT NULL;
COMMENT ON VIEW golden.identity IS 'Every e-mail, phone, messenger id, member number and external id of every customer.';
COMMENT ON COLUMN golden.identity.customer_id IS 'The customer.';
COMMENT ON COLUMN golden.identity.type IS 'email, phone, wechat_id, wechat_openid, member_no or external_id.';
COMMENT ON COLUMN golden.identity.value IS 'The canonical value: E.164 phone, lower-case e-mail.';
COMMENT ON COLUMN golden.identity.source IS 'The source that says so.';
COMMENT ON COLUMN golden.identity.external_id IS 'The source''s key of the record that says so.';
COMMENT ON COLUMN golden.identity.role IS 'Role of the party in its delivery.';
COMMENT ON COLUMN golden.identity.verified IS 'The source verifies its identifiers.';
COMMENT ON COLUMN golden.identity.is_evidence IS 'False for masked, virtual and invalid values and those that name nobody.';

CREATE VIEW golden.history AS
SELECT h.customer_id, h.version, h.at, h.what, h.actor, h.changes::jsonb, h.event_seq FROM tributary.history h;
COMMENT ON VIEW golden.history IS 'What changed in each customer, when, and who or what did it.';
COMMENT ON COLUMN golden.history.customer_id IS 'The customer.';
COMMENT ON COLUMN golden.history.version IS 'The version this change made.';
COMMENT ON COLUMN golden.history.at IS 'When it was resolved.';
COMMENT ON COLUMN golden.history.what IS 'updated, merged, split, removed, or returned: an id that was gone stands again.';
COMMENT ON COLUMN golden.history.actor IS 'The source or the person that caused it.';
COMMENT ON COLUMN golden.history.changes IS 'Field -> [old, new].';
COMMENT ON COLUMN golden.history.event_seq IS 'The event that told it downstream, if one did.';

-- provenance is an array of [field, value, record_id, flags, agreeing records, [[runner-up value, record_id], ...]].
CREATE VIEW golden.provenance AS
SELECT c.customer_id, p.value ->> 0 AS field, p.value ->> 1 AS value, (p.value ->> 2)::bigint AS record_id,
       s.name AS source, r.effective_at, (r.flags & 16) <> 0 AS verified,
       (p.value ->> 4)::integer AS agreeing_records, (p.value -> 5)::jsonb AS runners_up
FROM tributary.customer c
CROSS JOIN LATERAL json_array_elements(c.provenance) p
LEFT JOIN tributary.record r ON r.record_id = (p.value ->> 2)::bigint
LEFT JOIN tributary.source s USING (source_id);
COMMENT ON VIEW golden.provenance IS 'Where each golden value comes from, and what it was preferred to.';
COMMENT ON COLUMN golden.provenance.customer_id IS 'The customer.';
COMMENT ON COLUMN golden.provenance.field IS 'The field; a set has a row per member.';
COMMENT ON COLUMN golden.provenance.value IS 'The golden value, canonical text.';
COMMENT ON COLUMN golden.provenance.record_id IS 'The record it survives from.';
COMMENT ON COLUMN golden.provenance.source IS 'The source of that record.';
COMMENT ON COLUMN golden.provenance.effective_at IS 'Effective time of that record.';
COMMENT ON COLUMN golden.provenance.verified IS 'The source verifies its identifiers.';
COMMENT ON COLUMN golden.provenance.agreeing_records IS 'How many records of the customer say the same.';
COMMENT ON COLUMN golden.provenance.runners_up IS 'Up to three values that did not win: [[value, record_id], ...].';

CREATE VIEW golden.activity AS
SELECT r.customer_id, a.at, a.type, a.key, a.data::jsonb, s.name AS source, r.external_id, r.part
FROM tributary.activity a
JOIN tributary.record r USING (record_id)
JOIN tributary.source s ON s.source_id = a.source_id
WHERE r.customer_id IS NOT NULL;
COMMENT ON VIEW golden.activity IS 'What customers did: orders, registrations, check-ins, form posts, calls.';
COMMENT ON COLUMN golden.activity.customer_id IS 'The customer.';
COMMENT ON COLUMN golden.activity.at IS 'When it happened.';
COMMENT ON COLUMN golden.activity.type IS 'order, registration, check_in, form and so on.';
COMMENT ON COLUMN golden.activity.key IS 'What makes it one activity however often it is delivered.';
COMMENT ON COLUMN golden.activity.data IS 'What the source says of it.';
COMMENT ON COLUMN golden.activity.source IS 'The source.';
COMMENT ON COLUMN golden.activity.external_id IS 'The source''s key of the record.';
COMMENT ON COLUMN golden.activity.part IS 'Role of the party.';

CREATE VIEW golden.consent AS
SELECT r.customer_id, c.purpose, bool_and(c.granted) AS granted, max(c.at) AS latest_at, count(*) AS statements
FROM tributary.consent c JOIN tributary.record r USING (record_id)
WHERE r.customer_id IS NOT NULL
GROUP BY r.customer_id, c.purpose;
COMMENT ON VIEW golden.consent IS 'Consent per purpose: granted only when every statement grants it (the most restrictive wins).';
COMMENT ON COLUMN golden.consent.customer_id IS 'The customer.';
COMMENT ON COLUMN golden.consent.purpose IS 'What for.';
COMMENT ON COLUMN golden.consent.granted IS 'True only when every record of the customer that speaks of the purpose grants it.';
COMMENT ON COLUMN golden.consent.latest_at IS 'Time of the newest statement.';
COMMENT ON COLUMN golden.consent.statements IS 'How many statements there are.';

CREATE VIEW golden.event AS
SELECT e.seq, e.at, e.type, e.customer_id, s.name AS source, b.data::jsonb
FROM tributary.event e
LEFT JOIN tributary.event_body b ON b.seq = e.seq AND b.at = e.at
LEFT JOIN tributary.source s USING (source_id);
COMMENT ON VIEW golden.event IS 'Everything told downstream, by seq, without gaps.';
COMMENT ON COLUMN golden.event.seq IS 'Counts up by one with every event.';
COMMENT ON COLUMN golden.event.at IS 'When it was resolved.';
COMMENT ON COLUMN golden.event.type IS 'lead.created, customer.merged and so on; see docs/events.md.';
COMMENT ON COLUMN golden.event.customer_id IS 'The customer it is about, as of the event.';
COMMENT ON COLUMN golden.event.source IS 'The source that caused it.';
COMMENT ON COLUMN golden.event.data IS 'The body; NULL once erased or past its retention.';

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'tributary_reader') THEN
        CREATE ROLE tributary_reader NOLOGIN;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'role tributary_reader not created: ask a superuser';
WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'tributary_reader') THEN
        GRANT USAGE ON SCHEMA golden TO tributary_reader;
        GRANT SELECT ON ALL TABLES IN SCHEMA golden TO tributary_reader;
        ALTER DEFAULT PRIVILEGES IN SCHEMA golden GRANT SELECT ON TABLES TO tributary_reader;
    END IF;
END $$;
