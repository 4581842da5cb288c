-- $1 name, $2 type, $3 from the beginning of the log. A sink not seen before starts at the end of the log.
INSERT INTO tributary.sink (name, type, cursor_seq)
SELECT $1::text, $2::text, CASE WHEN $3::boolean THEN 0 ELSE c.value END
FROM tributary.counter c WHERE c.name = 'event_seq'
ON CONFLICT (name) DO UPDATE SET type = excluded.type WHERE tributary.sink.type <> excluded.type
