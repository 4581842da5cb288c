-- $1 source ids (ascending), $2 received, $3 repeat, $4 suppressed
UPDATE tributary.ledger_accept l
SET received = l.received + u.received, repeat = l.repeat + u.repeat, suppressed = l.suppressed + u.suppressed
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS u (source_id, received, repeat, suppressed)
WHERE l.source_id = u.source_id
