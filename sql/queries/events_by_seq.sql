-- $1 seqs, $2 patterns of types, $3 sources (none: all). The columns of events_read; `is_named`: its type and source are wanted.
SELECT e.seq, e.at, coalesce(e.customer_id, 0), e.type, coalesce(s.name, ''), b.data, coalesce(r.space, ''),
       CASE WHEN (r.flags & 8) <> 0 THEN
           NOT EXISTS (SELECT FROM tributary.record m WHERE m.customer_id = r.customer_id AND (m.flags & 9) = 0)
       ELSE false END AS is_test,
       e.type LIKE ANY ($2::text[]) AND ($3::text[] = '{}' OR coalesce(e.source_id = ANY (w.ids), false) OR coalesce(e.sources && w.ids, false)) AS is_named,
       CASE WHEN e.type IN ('customer.merged', 'lead.merged') THEN b.data ->> 'merged'
            WHEN e.type = 'customer.split' AND json_typeof(b.data -> 'records') = 'object' THEN
                (SELECT string_agg(DISTINCT v.value, ',') FROM json_each_text(b.data -> 'records') v) END AS others,
       count(*) OVER () AS total, coalesce(r.kind, 0)::integer AS kind
FROM tributary.event e
CROSS JOIN LATERAL (SELECT coalesce(e.data::json, (SELECT o.data FROM tributary.event_body o WHERE o.seq = e.seq AND o.at = e.at)) AS data) b
LEFT JOIN tributary.source s ON s.source_id = e.source_id
LEFT JOIN tributary.record r ON r.record_id = e.customer_id
CROSS JOIN (SELECT ARRAY(SELECT o.source_id FROM tributary.source o WHERE o.name = ANY ($3::text[])) AS ids) w
WHERE e.seq = ANY ($1::bigint[]) ORDER BY e.seq
