-- $1 generation_id -> fingerprint, detail
SELECT fingerprint, detail::text FROM tributary.generation WHERE generation_id = $1::integer
