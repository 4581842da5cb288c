-- $1 sink, $2 rows -> with the customers each event names besides its own (as events_read tells them)
SELECT p.seq, coalesce(p.customer_id, 0), p.attempts, p.next_at, coalesce(p.last_status, 0),
       CASE WHEN e.type IN ('customer.merged', 'lead.merged') THEN b.data ->> 'merged'
            WHEN e.type = 'customer.split' AND json_typeof(b.data -> 'records') = 'object' THEN
                (SELECT string_agg(DISTINCT v.value, ',') FROM json_each_text(b.data -> 'records') v) END AS others
FROM (SELECT * FROM tributary.sink_parked q WHERE q.sink = $1::text AND NOT q.dead ORDER BY q.seq LIMIT $2::integer) p
LEFT JOIN tributary.event e ON e.seq = p.seq
CROSS JOIN LATERAL (SELECT CASE WHEN e.type IN ('customer.merged', 'lead.merged', 'customer.split') THEN
    coalesce(e.data::json, (SELECT o.data FROM tributary.event_body o WHERE o.seq = e.seq AND o.at = e.at)) END AS data) b
ORDER BY p.seq
