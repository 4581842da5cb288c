-- $1 fingerprint, $2 detail -> generation_id. The very first is applied, to nothing, at once.
INSERT INTO tributary.generation AS g (fingerprint, detail, applied_at)
SELECT $1::text, $2::jsonb, CASE WHEN NOT EXISTS (SELECT FROM tributary.generation) THEN now() END
ON CONFLICT (fingerprint) DO UPDATE SET detail = excluded.detail
RETURNING generation_id
