-- Resolved batches are only kept to settle ambiguous commits.
DELETE FROM tributary.batch WHERE resolved_at < now() - interval '1 hour'
