-- New versions of records that are there: $1 ids, $2 flags, $3 effective us, $4 hashes, $5 accept seqs,
-- $6 cleans, $7 features (hexadecimal), $8 now
UPDATE tributary.record r
SET flags = u.flags, version = r.version + 1,
    effective_at = 'epoch'::timestamptz + u.effective_us * interval '1 microsecond',
    content_hash = u.hash, accept_seq = u.seq, updated_at = $8::timestamptz,
    clean = u.clean::json, features = decode(u.features, 'hex')
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[])
    AS u (record_id, flags, effective_us, hash, seq, clean, features)
WHERE r.record_id = u.record_id
