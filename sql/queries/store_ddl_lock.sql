-- One daemon at a time; readers are not waited for long.
select pg_catalog.set_config('lock_timeout', '3s', true), pg_catalog.pg_advisory_xact_lock($1)
