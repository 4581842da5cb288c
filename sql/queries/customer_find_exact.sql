-- $1 what is looked for, $2 the same as a number or 0, $3 records that share a key of it, $4 the pattern they must show it by,
-- $5 limit -> record_id. Goes by indexes only.
(SELECT r.record_id FROM tributary.record r
 WHERE r.customer_id IS NOT NULL AND r.external_id = $1::text LIMIT $5::integer)
UNION
(SELECT r.record_id FROM tributary.record r WHERE r.customer_id IS NOT NULL AND r.record_id = $2::bigint)
UNION
(SELECT r.record_id FROM tributary.record r
 WHERE r.customer_id IS NOT NULL AND r.record_id = ANY ($3::bigint[])
   AND EXISTS (SELECT FROM json_array_elements(coalesce(r.clean::json, r.clean_json) -> 'v') w
               WHERE w.value ->> 0 IN ('email', 'phone', 'wechat_id', 'member_no')
                 AND (w.value ->> 2 ILIKE $4::text OR w.value ->> 3 ILIKE $4::text)))
