-- $1 pid, $2 its start: ends a session of ours whose COMMIT was not answered. No row: it is gone already; false: it
-- does not go (frozen), so that nobody knows yet whether it will commit.
select pg_catalog.pg_terminate_backend(a.pid, 3000)
from pg_catalog.pg_stat_activity a where a.pid = $1::int4 and a.backend_start = $2
