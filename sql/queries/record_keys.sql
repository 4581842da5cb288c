-- $1 record ids -> record_id, source, external_id, part
SELECT r.record_id, s.name, r.external_id, r.part
FROM tributary.record r JOIN tributary.source s USING (source_id) WHERE r.record_id = ANY ($1::bigint[])
