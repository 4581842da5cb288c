-- $1 record ids, $2 their features (hexadecimal) as another generation packs them
UPDATE tributary.record r SET features = decode(u.features, 'hex')
FROM unnest($1::bigint[], $2::text[]) AS u (record_id, features)
WHERE r.record_id = u.record_id
