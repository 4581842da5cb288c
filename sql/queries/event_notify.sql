-- $1 channel, $2 seq. A lost notification is followed by the next, so nothing waits for the disk.
SELECT pg_catalog.set_config('synchronous_commit', 'off', true), pg_catalog.pg_notify($1::text, ($2::bigint)::text)
