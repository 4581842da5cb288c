-- $1 source_id, $2 cursor
UPDATE tributary.source SET cursor = $2::text, cursor_at = now() WHERE source_id = $1::integer
