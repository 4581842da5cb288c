-- $1 record ids
DELETE FROM tributary.consent WHERE record_id = ANY ($1::bigint[])
