-- $1 record ids -> record_id, a name for people to know it by ('' none), source, external_id
SELECT r.record_id,
       coalesce((SELECT x.value ->> 2 FROM json_array_elements(coalesce(r.clean::json, r.clean_json) -> 'v') x
                 WHERE x.value ->> 0 IN ('full_name', 'company') LIMIT 1), ''),
       s.name, r.external_id
FROM tributary.record r JOIN tributary.source s USING (source_id)
WHERE r.record_id = ANY ($1::bigint[]) ORDER BY r.record_id
