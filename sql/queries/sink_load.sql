-- $1 name
SELECT s.cursor_seq, s.delivered, s.last_delivered_at, s.state, s.reason, s.updated_at,
       (SELECT count(*) FROM tributary.sink_parked p WHERE p.sink = s.name AND p.dead)
FROM tributary.sink s WHERE s.name = $1::text
