-- $1, $2 record ids of either side -> the decisions that stand between them, newest first
WITH side AS (
    SELECT r.record_id, s.name AS source, r.external_id, r.part, r.record_id = ANY ($1::bigint[]) AS here,
           r.record_id = ANY ($2::bigint[]) AS there
    FROM tributary.record r JOIN tributary.source s USING (source_id)
    WHERE r.record_id = ANY ($1::bigint[]) OR r.record_id = ANY ($2::bigint[]))
SELECT jsonb_build_object('decision_id', d.decision_id, 'kind', d.kind, 'a', a.record_id, 'b', b.record_id,
                          'actor', d.actor, 'note', d.note, 'at', d.at)
FROM tributary.decision d
JOIN side a ON a.source = d.a_source AND a.external_id = d.a_external_id AND a.part = d.a_part
JOIN side b ON b.source = d.b_source AND b.external_id = d.b_external_id AND b.part = d.b_part
WHERE d.retracted_at IS NULL AND ((a.here AND b.there) OR (a.there AND b.here))
ORDER BY d.decision_id DESC LIMIT 20
