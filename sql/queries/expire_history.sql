-- $1 older than (ms). What a customer that is gone was told last stays (it holds no values): should its id stand again, its
-- versions go on from there.
DELETE FROM tributary.history h
WHERE h.at < now() - $1::bigint * interval '1 millisecond'
  AND NOT (h.what IN ('merged', 'split', 'removed') AND h.changes::text = '{}'
           AND NOT EXISTS (SELECT FROM tributary.customer c WHERE c.customer_id = h.customer_id))
