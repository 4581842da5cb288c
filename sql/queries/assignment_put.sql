-- $1 record ids, $2 owner, $3 team, $4 actor: they are looked after by these from now on
WITH made AS (
    INSERT INTO tributary.assignment (owner, team, actor) VALUES ($2::text, $3::text, $4::text) RETURNING assignment_id)
UPDATE tributary.record r SET assignment_id = made.assignment_id FROM made WHERE r.record_id = ANY ($1::bigint[])
