-- $1 limit, $2 every pair: else one row, the first, of what was decided together, and how many pairs that was and stand
SELECT to_jsonb(d) || jsonb_build_object('pairs', coalesce(g.pairs, 1),
                                         'standing', coalesce(g.standing, (d.retracted_at IS NULL)::integer))
FROM tributary.decision d
LEFT JOIN LATERAL (SELECT count(*) AS pairs, count(*) FILTER (WHERE o.retracted_at IS NULL) AS standing
                   FROM tributary.decision o WHERE o.group_id = d.group_id) g ON d.group_id IS NOT NULL
WHERE $2::boolean OR d.group_id IS NULL OR d.group_id = d.decision_id
ORDER BY d.decision_id DESC LIMIT $1::integer
