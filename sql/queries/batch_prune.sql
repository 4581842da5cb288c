-- Resolved batches are only kept to settle ambiguous commits. The highest numbers among them outlive them.
WITH gone AS (
    DELETE FROM tributary.batch WHERE resolved_at < now() - interval '1 hour' RETURNING batch_id, last_seq
)
UPDATE tributary.counter c SET value = highest.value
FROM (SELECT 'batch_id' AS name, max(batch_id) AS value FROM gone
      UNION ALL SELECT 'accept_seq', max(last_seq) FROM gone) highest
WHERE c.name = highest.name AND highest.value > c.value
