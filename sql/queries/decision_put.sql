-- $1 kind, $2..$4 a, $5..$7 b (source, external_id, part), $8 actor, $9 note -> decision_id
INSERT INTO tributary.decision (kind, a_source, a_external_id, a_part, b_source, b_external_id, b_part, actor, note)
VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text)
RETURNING decision_id
