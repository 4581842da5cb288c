-- Decisions made together. $1 ids, ascending, $2 kinds, $3 and $4 record ids, $5 weights ('': not judged): parallel lists.
-- $6 actor, $7 note, $8 origin, $9 generation
INSERT INTO tributary.decision (decision_id, kind, a_source, a_external_id, a_part, b_source, b_external_id, b_part,
                                actor, note, origin, generation_id, weight, group_id)
OVERRIDING SYSTEM VALUE
SELECT g.decision_id, g.kind, sa.name, ra.external_id, ra.part, sb.name, rb.external_id, rb.part,
       $6::text, $7::text, $8::text, $9::integer, nullif(g.weight, '')::real,
       CASE WHEN cardinality($1::bigint[]) > 1 THEN ($1::bigint[])[1] END
FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[]) AS g (decision_id, kind, a, b, weight)
JOIN tributary.record ra ON ra.record_id = g.a JOIN tributary.source sa ON sa.source_id = ra.source_id
JOIN tributary.record rb ON rb.record_id = g.b JOIN tributary.source sb ON sb.source_id = rb.source_id
