-- $1 first_seq, $2 last_seq
SELECT w.accept_seq, coalesce(w.effective_at, w.received_at), w.source_id, coalesce(w.layout_id, 0), w.pending_parts, w.flags,
       coalesce(w.refusal, ''), coalesce(w.refusal_param, ''), w.position, w.meta, w.body,
       coalesce(l.layout, '')
FROM tributary.raw w LEFT JOIN tributary.layout l USING (layout_id)
WHERE w.accept_seq BETWEEN $1::bigint AND $2::bigint ORDER BY w.accept_seq
