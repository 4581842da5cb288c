-- $1 limit: the decision that stands on each pair, newest first -> group (its own id when alone), always, origin, weight when it
-- was made (NULL: shared nothing), record ids of the pair (0: not there or deleted)
WITH keyed AS (
    SELECT d.*, concat_ws(chr(31), d.a_source, d.a_external_id, d.a_part) AS x,
           concat_ws(chr(31), d.b_source, d.b_external_id, d.b_part) AS y
    FROM tributary.decision d WHERE d.retracted_at IS NULL),
standing AS (
    SELECT DISTINCT ON (least(x, y), greatest(x, y)) * FROM keyed
    ORDER BY least(x, y), greatest(x, y), decision_id DESC)
SELECT coalesce(d.group_id, d.decision_id), d.kind = 'always', d.origin, d.weight,
       coalesce(ra.record_id, 0), coalesce(rb.record_id, 0)
FROM standing d
LEFT JOIN tributary.source sa ON sa.name = d.a_source
LEFT JOIN tributary.record ra ON ra.external_id = d.a_external_id AND ra.source_id = sa.source_id AND ra.part = d.a_part
                             AND ra.customer_id IS NOT NULL
LEFT JOIN tributary.source sb ON sb.name = d.b_source
LEFT JOIN tributary.record rb ON rb.external_id = d.b_external_id AND rb.source_id = sb.source_id AND rb.part = d.b_part
                             AND rb.customer_id IS NOT NULL
ORDER BY d.decision_id DESC LIMIT $1::integer
