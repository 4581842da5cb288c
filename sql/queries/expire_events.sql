-- $1 older than (ms): events no sink still needs (a disabled sink holds nothing back)
WITH floor AS (
    SELECT least(coalesce((SELECT min(cursor_seq) FROM tributary.sink WHERE state <> 'disabled'), 9223372036854775807),
                 coalesce((SELECT min(seq) - 1 FROM tributary.sink_parked WHERE NOT dead), 9223372036854775807)) AS seq),
old AS (
    SELECT e.seq FROM tributary.event e, floor
    WHERE e.at < now() - $1::bigint * interval '1 millisecond' AND e.seq <= floor.seq
    ORDER BY e.seq LIMIT 20000),
bodies AS (DELETE FROM tributary.event_body b USING old WHERE b.seq = old.seq)
DELETE FROM tributary.event e USING old WHERE e.seq = old.seq
