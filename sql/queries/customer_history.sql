-- $1 customer id, $2 limit
SELECT jsonb_build_object('version', h.version, 'at', h.at, 'what', h.what, 'actor', h.actor,
                          'changes', h.changes, 'event_seq', h.event_seq)
FROM golden.history h WHERE h.customer_id = $1::bigint
ORDER BY h.version DESC, h.at DESC LIMIT $2::integer
