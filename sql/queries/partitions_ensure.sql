-- $1 table. Whoever reads or writes it meanwhile waits behind this for as long as this waits for others: not long, then.
SELECT pg_catalog.set_config('lock_timeout', '200ms', true), tributary.ensure_partitions_of($1::text, now())
