-- $1 fingerprint, $2 detail -> generation_id. The very first is applied, to nothing, at once. (Not ON CONFLICT: it would take a
-- number at every start.)
WITH known AS (
    UPDATE tributary.generation SET detail = $2::jsonb WHERE fingerprint = $1::text RETURNING generation_id),
made AS (
    INSERT INTO tributary.generation (fingerprint, detail, applied_at)
    SELECT $1::text, $2::jsonb, CASE WHEN NOT EXISTS (SELECT FROM tributary.generation) THEN now() END
    WHERE NOT EXISTS (SELECT FROM known)
    RETURNING generation_id)
SELECT generation_id FROM known UNION ALL SELECT generation_id FROM made
