-- Records as another generation reads them: $1 ids, $2 kinds, $3 cleans ('': as it was), $4 features (hexadecimal)
UPDATE tributary.record r
SET kind = u.kind, space = (SELECT s.space FROM tributary.source s WHERE s.source_id = r.source_id),
    clean = coalesce(nullif(u.clean, ''), r.clean),
    clean_json = CASE WHEN u.clean = '' THEN r.clean_json END, features = decode(u.features, 'hex')
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) AS u (record_id, kind, clean, features)
WHERE r.record_id = u.record_id
