-- $1 generation_id, $2 actor: its application begins
UPDATE tributary.generation SET applying_at = CASE WHEN generation_id = $1::integer THEN now() END,
       actor = CASE WHEN generation_id = $1::integer THEN $2::text ELSE actor END
WHERE generation_id = $1::integer OR applying_at IS NOT NULL
