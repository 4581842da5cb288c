select pg_catalog.set_config('lock_timeout', '5s', true),
       pg_catalog.set_config('statement_timeout', '0', true)
