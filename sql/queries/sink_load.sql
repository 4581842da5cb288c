-- $1 name -> ..., and the oldest event it has not passed that is still kept (0: none is)
SELECT s.cursor_seq, s.delivered, s.last_delivered_at, s.state, s.reason, s.updated_at,
       (SELECT count(*) FROM tributary.sink_parked p WHERE p.sink = s.name AND p.dead),
       coalesce((SELECT e.seq FROM tributary.event e WHERE e.seq > s.cursor_seq ORDER BY e.seq LIMIT 1), 0)
FROM tributary.sink s WHERE s.name = $1::text
