-- A sample of the live records as they are cleaned, in order of record id: $1 a seed, $2 how many of a million
SELECT space, clean FROM tributary.record
WHERE (flags & 1) = 0 AND customer_id IS NOT NULL
  AND ((record_id * 2654435761 + $1::bigint) / 1024) % 1000000 < $2::bigint
ORDER BY record_id
