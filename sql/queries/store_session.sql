-- What every connection of ours relies on; set again here because a pooler may refuse startup options.
select pg_catalog.set_config('search_path', '', false),
       pg_catalog.set_config('TimeZone', 'UTC', false),
       pg_catalog.set_config('client_encoding', 'UTF8', false),
       pg_catalog.set_config('standard_conforming_strings', 'on', false),
       pg_catalog.set_config('statement_timeout', $1::text, false),
       pg_catalog.current_setting('server_encoding'),
       pg_catalog.current_setting('server_version_num')::int4,
       pg_catalog.pg_backend_pid(),
       (select a.backend_start from pg_catalog.pg_stat_activity a where a.pid = pg_catalog.pg_backend_pid())
