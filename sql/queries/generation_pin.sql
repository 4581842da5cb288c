-- $1 fingerprint -> generation_id, whether another generation was applied last
WITH before AS (
    SELECT fingerprint FROM tributary.generation WHERE applied_at IS NOT NULL
    ORDER BY applied_at DESC, generation_id DESC LIMIT 1),
made AS (
    INSERT INTO tributary.generation (fingerprint) VALUES ($1::text)
    ON CONFLICT (fingerprint) DO UPDATE SET fingerprint = excluded.fingerprint
    RETURNING generation_id)
SELECT generation_id, coalesce((SELECT fingerprint <> $1::text FROM before), false) FROM made
