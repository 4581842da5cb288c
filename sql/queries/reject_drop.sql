-- $1 ids (none: all), $2 source or empty -> the rejects that were open and are done with now
UPDATE tributary.reject r SET state = 'dropped' FROM tributary.source s
WHERE s.source_id = r.source_id AND r.state = 'open'
  AND (cardinality($1::bigint[]) = 0 OR r.reject_id = ANY ($1::bigint[]))
  AND ($2::text = '' OR s.name = $2::text)
RETURNING r.reject_id
