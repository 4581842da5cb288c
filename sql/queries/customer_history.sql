-- $1 customer id, $2 limit. History begins with the first change: how it began is told from the customer itself, or
-- from its record when it is gone.
WITH kept AS (
    SELECT h.version, h.at, h.what, h.actor, h.changes, h.event_seq
    FROM golden.history h WHERE h.customer_id = $1::bigint)
SELECT jsonb_build_object('version', h.version, 'at', h.at, 'what', h.what, 'actor', h.actor,
                          'changes', h.changes, 'event_seq', h.event_seq)
FROM (SELECT * FROM kept
      UNION ALL
      SELECT 1, coalesce(c.created_at, r.stored_at), 'created', s.name, '{}'::jsonb, NULL
      FROM tributary.record r
      JOIN tributary.source s USING (source_id)
      LEFT JOIN tributary.customer c ON c.customer_id = r.record_id
      WHERE r.record_id = $1::bigint AND NOT EXISTS (SELECT FROM kept WHERE kept.version = 1)
        AND (c.customer_id IS NOT NULL OR EXISTS (SELECT FROM kept))) h
ORDER BY h.version DESC, h.at DESC LIMIT $2::integer
