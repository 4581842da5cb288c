-- $1 table -> the empty partition of before the last month that was dropped, '' none. Waits for a lock as partitions_ensure does.
SELECT pg_catalog.set_config('lock_timeout', '200ms', true),
       coalesce(tributary.drop_empty_partition_of($1::text, now() - interval '1 month'), '')
