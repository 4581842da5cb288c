-- $1 record ids -> record_id, clean
SELECT record_id, clean FROM tributary.record WHERE record_id = ANY ($1::bigint[])
