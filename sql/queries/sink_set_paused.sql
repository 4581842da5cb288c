-- $1 sink, $2 paused; not paused: active, disabled or not before -> the sinks found. What the dispatcher must see is told by
-- updated_at.
UPDATE tributary.sink SET state = CASE WHEN $2::boolean THEN 'paused' ELSE 'active' END,
       reason = CASE WHEN $2::boolean THEN 'paused by a person' ELSE '' END, updated_at = clock_timestamp()
WHERE name = $1::text RETURNING name
