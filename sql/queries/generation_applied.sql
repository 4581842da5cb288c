-- $1 generation_id
UPDATE tributary.generation SET applied_at = now() WHERE generation_id = $1::integer
