-- $1 name, $2 fresh bytes -> the bytes kept under the name (the first ever given)
WITH made AS (
    INSERT INTO tributary.secret (name, bytes) VALUES ($1::text, $2::bytea)
    ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING bytes)
SELECT bytes FROM made
