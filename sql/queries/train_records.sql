-- A sample of the live records as they are cleaned, in order of record id: $1 a seed, $2 how many of 1,048,576.
-- Records are drawn one by one, whatever customer they are of: of a share p of the records p * p of all pairs remain, alike those that
-- are linked, those that are not and those of strangers, so that m, u and the prior are what all records would say, from fewer pairs.
-- Whole customers would give more pairs, but those that today's model found, and a prior 1 / p too high.
SELECT space, coalesce(clean, clean_json::text) FROM tributary.record
WHERE (flags & 1) = 0 AND customer_id IS NOT NULL
  AND (pg_catalog.hashint8extended(record_id, $1::bigint) & 1048575) < $2::bigint
ORDER BY record_id
