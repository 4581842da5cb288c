-- $1 batch_id, $2 token, $3 live, $4 accepted_at, $5 first_seq, $6 last_seq, $7 nothing pending
INSERT INTO tributary.batch (batch_id, token, live, accepted_at, first_seq, last_seq, resolved_at)
VALUES ($1::bigint, $2::bigint, $3::boolean, $4::timestamptz, $5::bigint, $6::bigint,
        CASE WHEN $7::boolean THEN now() END)
