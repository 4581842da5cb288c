-- $1 source ids, then per outcome: $2 stored, $3 updated, $4 deleted, $5 repeat, $6 rejected, $7 quarantined, $8 suppressed
UPDATE tributary.ledger_resolve l
SET stored = l.stored + u.stored, updated = l.updated + u.updated, deleted = l.deleted + u.deleted,
    repeat = l.repeat + u.repeat, rejected = l.rejected + u.rejected,
    quarantined = l.quarantined + u.quarantined, suppressed = l.suppressed + u.suppressed
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
    AS u (source_id, stored, updated, deleted, repeat, rejected, quarantined, suppressed)
WHERE l.source_id = u.source_id
