-- $1 record ids -> record_id, source, external_id, part, kind, space
SELECT r.record_id, s.name, r.external_id, r.part, CASE r.kind WHEN 2 THEN 'company' ELSE 'person' END, r.space
FROM tributary.record r JOIN tributary.source s USING (source_id) WHERE r.record_id = ANY ($1::bigint[])
