-- $1 source_id, $2 paused
UPDATE tributary.source SET paused = $2::boolean WHERE source_id = $1::integer
