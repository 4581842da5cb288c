-- $1 how many: the newest leads with what is needed to show them masked
SELECT e.at, e.customer_id, coalesce(s.name, ''), coalesce(b.data #>> '{customer,full_name}', b.data #>> '{customer,company}', ''),
       coalesce(b.data #>> '{customer,phone,0}', b.data #>> '{customer,email,0}', '')
FROM tributary.event e
CROSS JOIN LATERAL (SELECT coalesce(e.data::json, (SELECT o.data FROM tributary.event_body o WHERE o.seq = e.seq AND o.at = e.at)) AS data) b
LEFT JOIN tributary.source s USING (source_id)
WHERE e.type = 'lead.created' AND e.seq > (SELECT value - 2000 FROM tributary.counter WHERE name = 'event_seq')
ORDER BY e.seq DESC LIMIT $1::integer
