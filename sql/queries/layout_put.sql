-- $1 source_id int4, $2 hash uuid, $3 layout text -> layout_id; the same layout twice is one row.
WITH made AS (
    INSERT INTO tributary.layout (source_id, hash, layout) VALUES ($1, $2, $3)
    ON CONFLICT (source_id, hash) DO NOTHING RETURNING layout_id)
SELECT layout_id FROM made
UNION ALL
SELECT layout_id FROM tributary.layout WHERE source_id = $1 AND hash = $2
LIMIT 1
