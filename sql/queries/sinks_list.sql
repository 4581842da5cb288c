SELECT s.name, s.type, s.state, greatest(c.value - s.cursor_seq, 0), coalesce(p.parked, 0), coalesce(p.dead, 0),
       s.delivered, s.last_delivered_at, s.reason
FROM tributary.sink s
JOIN tributary.counter c ON c.name = 'event_seq'
LEFT JOIN (SELECT sink, count(*) FILTER (WHERE NOT dead) AS parked, count(*) FILTER (WHERE dead) AS dead
           FROM tributary.sink_parked GROUP BY sink) p ON p.sink = s.name
ORDER BY s.name
