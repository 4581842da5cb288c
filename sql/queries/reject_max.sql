-- The newest reject's number: what a retry goes up to, so that what is refused again is not retried for ever.
SELECT coalesce(max(reject_id), 0) FROM tributary.reject
