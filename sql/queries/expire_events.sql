-- $1 older than (ms), $2 sinks configured, $3 those of them that are enabled, $4 limits.events, $5 rows: events no sink still
-- wants. One that is at work holds back what it has not had; one that is paused, disabled or not enabled at most the newest
-- limits.events; one that is not configured any more nothing.
WITH holding AS (
    SELECT s.name, s.cursor_seq,
           CASE WHEN s.state = 'active' AND s.name = ANY ($3::text[]) THEN 0 ELSE greatest(c.value - $4::bigint, 0) END AS least_seq
    FROM tributary.sink s CROSS JOIN tributary.counter c
    WHERE s.name = ANY ($2::text[]) AND c.name = 'event_seq'),
floor AS (
    SELECT least(coalesce((SELECT min(greatest(h.cursor_seq, h.least_seq)) FROM holding h), 9223372036854775807),
                 coalesce((SELECT min(greatest(p.seq - 1, h.least_seq)) FROM holding h
                           JOIN tributary.sink_parked p ON p.sink = h.name WHERE NOT p.dead), 9223372036854775807)) AS seq),
old AS (
    SELECT e.seq, e.at FROM tributary.event e, floor
    WHERE e.at < now() - $1::bigint * interval '1 millisecond' AND e.seq <= floor.seq
    ORDER BY e.seq LIMIT $5::integer),
bodies AS (DELETE FROM tributary.event_body b USING old WHERE b.seq = old.seq AND b.at = old.at)
DELETE FROM tributary.event e USING old WHERE e.seq = old.seq AND e.at = old.at
