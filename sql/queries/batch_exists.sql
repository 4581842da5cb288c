-- $1 batch_id, $2 token: did that accept transaction commit?
SELECT 1 FROM tributary.batch WHERE batch_id = $1::bigint AND token = $2::bigint
