-- $1 record ids
DELETE FROM tributary.activity WHERE record_id = ANY ($1::bigint[])
