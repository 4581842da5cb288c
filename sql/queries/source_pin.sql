-- $1 name, $2 type, $3 space -> source_id, cursor, paused, employers; makes the row when it is new.
WITH made AS (
    INSERT INTO tributary.source (name, type, space) VALUES ($1::text, $2::text, $3::text)
    ON CONFLICT (name) DO UPDATE SET type = excluded.type, space = excluded.space
    RETURNING source_id, cursor, paused, employers)
SELECT source_id, cursor, paused, employers FROM made
