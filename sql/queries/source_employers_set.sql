-- $1 source_id, $2 whether the companies its records name are records now
UPDATE tributary.source SET employers = $2::boolean WHERE source_id = $1::integer
