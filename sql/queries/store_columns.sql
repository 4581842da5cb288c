-- The columns of a table or view, in order; no row when it is not there.
select a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod)
from pg_catalog.pg_attribute a
where a.attrelid = pg_catalog.to_regclass($1::text) and a.attnum > 0 and not a.attisdropped
order by a.attnum
