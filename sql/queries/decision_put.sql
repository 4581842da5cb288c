-- Decisions made together, in one statement. $1 kinds, $2 and $3 record ids, $4 weights ('': not judged): parallel lists.
-- $5 actor, $6 note, $7 origin, $8 generation -> decision_id, in the order given
WITH given AS (
    SELECT u.*, nextval(pg_get_serial_sequence('tributary.decision', 'decision_id')) AS decision_id
    FROM (SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[])
              WITH ORDINALITY AS t (kind, a, b, weight, place) ORDER BY place) u),
put AS (
    INSERT INTO tributary.decision (decision_id, kind, a_source, a_external_id, a_part, b_source, b_external_id, b_part,
                                    actor, note, origin, generation_id, weight, group_id)
    OVERRIDING SYSTEM VALUE
    SELECT g.decision_id, g.kind, sa.name, ra.external_id, ra.part, sb.name, rb.external_id, rb.part,
           $5::text, $6::text, $7::text, $8::integer, nullif(g.weight, '')::real,
           CASE WHEN (SELECT count(*) FROM given) > 1 THEN (SELECT min(f.decision_id) FROM given f) END
    FROM given g
    JOIN tributary.record ra ON ra.record_id = g.a JOIN tributary.source sa ON sa.source_id = ra.source_id
    JOIN tributary.record rb ON rb.record_id = g.b JOIN tributary.source sb ON sb.source_id = rb.source_id
    RETURNING decision_id)
SELECT g.decision_id FROM given g JOIN put USING (decision_id) ORDER BY g.place
