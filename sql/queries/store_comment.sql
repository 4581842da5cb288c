select coalesce(pg_catalog.obj_description(pg_catalog.to_regclass($1::text), 'pg_class'), '')
