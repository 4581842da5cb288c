-- $1 source or empty, $2 state or empty, $3 limit -> newest first; of the body its beginning
SELECT r.reject_id, s.name, r.at, r.quarantined, r.state, r.code, r.field, r.param, r.position, r.external_id,
       r.part, substring(r.body FROM 1 FOR 2000), octet_length(r.body)
FROM tributary.reject r JOIN tributary.source s USING (source_id)
WHERE ($1::text = '' OR s.name = $1::text) AND ($2::text = '' OR r.state = $2::text)
ORDER BY r.reject_id DESC LIMIT $3::integer
