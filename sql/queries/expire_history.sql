-- $1 older than (ms), $2 rows. What a customer that is gone was told last stays (it holds no values): should its id stand again, its
-- versions go on from there.
DELETE FROM tributary.history h
USING (SELECT o.tableoid AS part, o.ctid AS place, o.at FROM tributary.history o
       WHERE o.at < now() - $1::bigint * interval '1 millisecond'
         AND NOT (o.what IN ('merged', 'split', 'removed') AND coalesce(o.changes, o.changes_json::text, '{}') = '{}'
                  AND NOT EXISTS (SELECT FROM tributary.customer c WHERE c.customer_id = o.customer_id))
       LIMIT $2::integer) old
WHERE h.tableoid = old.part AND h.ctid = old.place AND h.at = old.at
