-- The generation to go on with: one whose application was begun and not ended, else the one applied last.
-- -> generation_id, fingerprint, detail, actor, whether it is the former, fingerprint of the one applied last, whether there
-- are records
SELECT g.generation_id, g.fingerprint, g.detail::text, g.actor, g.applying_at IS NOT NULL,
       coalesce((SELECT a.fingerprint FROM tributary.generation a WHERE a.applied_at IS NOT NULL
                 ORDER BY a.applied_at DESC, a.generation_id DESC LIMIT 1), ''),
       coalesce((SELECT c.value > 0 FROM tributary.counter c WHERE c.name = 'record_id'), false)
FROM tributary.generation g
WHERE g.applying_at IS NOT NULL OR g.applied_at IS NOT NULL
ORDER BY g.applying_at DESC NULLS LAST, g.applied_at DESC NULLS LAST, g.generation_id DESC LIMIT 1
