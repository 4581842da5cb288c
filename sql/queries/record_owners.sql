-- $1 record ids -> record_id, assignment_id, owner, team of those that somebody looks after, by record id
SELECT r.record_id, a.assignment_id, a.owner, a.team
FROM tributary.record r JOIN tributary.assignment a USING (assignment_id)
WHERE r.record_id = ANY ($1::bigint[]) ORDER BY r.record_id
