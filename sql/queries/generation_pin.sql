-- $1 fingerprint -> generation_id, whether another generation was applied last. The very first is applied to nothing at once.
WITH before AS (
    SELECT fingerprint FROM tributary.generation WHERE applied_at IS NOT NULL
    ORDER BY applied_at DESC, generation_id DESC LIMIT 1),
made AS (
    INSERT INTO tributary.generation (fingerprint, applied_at)
    SELECT $1::text, CASE WHEN NOT EXISTS (SELECT FROM tributary.generation) THEN now() END
    ON CONFLICT (fingerprint) DO UPDATE SET fingerprint = excluded.fingerprint
    RETURNING generation_id)
SELECT generation_id, coalesce((SELECT fingerprint <> $1::text FROM before), false) FROM made
