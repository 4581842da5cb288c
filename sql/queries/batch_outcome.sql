-- $1 batch ids -> how many are not resolved yet, and how many rejects the resolved ones made
SELECT (SELECT count(*) FROM tributary.batch b WHERE b.batch_id = ANY ($1::bigint[]) AND b.resolved_at IS NULL),
       (SELECT count(*) FROM tributary.batch b
        JOIN tributary.reject r ON r.accept_seq BETWEEN b.first_seq AND b.last_seq
        WHERE b.batch_id = ANY ($1::bigint[]))
