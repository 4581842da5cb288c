-- $1 limit: generations, newest first
SELECT jsonb_build_object('generation', g.generation_id, 'created_at', g.created_at, 'applied_at', g.applied_at,
    'applying_at', g.applying_at, 'actor', g.actor, 'fingerprint', g.fingerprint,
    'link', (g.detail ->> 'link')::float8, 'review', (g.detail ->> 'review')::float8,
    'model', g.detail ->> 'model_name',
    'packs', (SELECT jsonb_agg(p ->> 'name') FROM jsonb_array_elements(g.detail -> 'packs') p),
    'can_be_applied', g.detail ? 'format')
FROM tributary.generation g ORDER BY g.generation_id DESC LIMIT $1::integer
