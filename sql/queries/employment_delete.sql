-- $1 people's record ids
DELETE FROM tributary.works_for WHERE record_id = ANY ($1::bigint[])
