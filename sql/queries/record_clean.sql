-- $1 record ids -> record_id, clean
SELECT record_id, coalesce(clean, clean_json::text) FROM tributary.record WHERE record_id = ANY ($1::bigint[])
