-- New versions of records that are there: $1 ids, $2 flags, $3 effective us, $4 hashes, $5 accept seqs,
-- $6 cleans, $7 features (hexadecimal), $8 now, $9 kinds. What is deleted is no lead any more.
UPDATE tributary.record r
SET flags = u.flags, kind = u.kind, space = (SELECT s.space FROM tributary.source s WHERE s.source_id = r.source_id),
    version = r.version + 1,
    effective_at = 'epoch'::timestamptz + u.effective_us * interval '1 microsecond',
    content_hash = u.hash, accept_seq = u.seq, updated_at = $8::timestamptz,
    clean = u.clean, clean_json = NULL, features = decode(u.features, 'hex'),
    lead_at = CASE WHEN u.flags & 1 = 0 THEN r.lead_at END
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
            $9::bigint[])
    AS u (record_id, flags, effective_us, hash, seq, clean, features, kind)
WHERE r.record_id = u.record_id
