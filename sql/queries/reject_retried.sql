-- $1 ids: taken in again by this very transaction
UPDATE tributary.reject SET state = 'retried' WHERE reject_id = ANY ($1::bigint[]) AND state = 'open'
