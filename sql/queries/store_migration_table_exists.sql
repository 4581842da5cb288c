select pg_catalog.to_regclass('tributary.migration') is not null
