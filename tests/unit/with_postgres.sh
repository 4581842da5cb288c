#!/bin/sh
# Runs a command beside a throw-away PostgreSQL: with_postgres.sh COMMAND...
# The command finds it in TRIBUTARY_TEST_DB (a conninfo) and TRIBUTARY_TEST_POSTMASTER (a process id). Without
# PostgreSQL's server programs the command runs all the same, and the tests that want a database say so and skip.
set -eu

bin=
for dir in "${PG_BINDIR:-}" /usr/lib/postgresql/15/bin /usr/lib/postgresql/*/bin /usr/local/pgsql/bin; do
    if [ -n "$dir" ] && [ -x "$dir/postgres" ] && [ -x "$dir/initdb" ]; then
        bin=$dir
        break
    fi
done
if [ -z "$bin" ]; then
    echo "with_postgres: no PostgreSQL server programs here" >&2
    exec "$@"
fi

base=$(mktemp -d /tmp/tributary-test.XXXXXX)
as_owner=
if [ "$(id -u)" = 0 ]; then
    owner=nobody
    if id postgres >/dev/null 2>&1; then owner=postgres; fi
    chown "$owner" "$base"
    as_owner="setpriv --reuid=$owner --regid=$(id -g "$owner") --clear-groups --"
fi

postmaster=
finish() {
    if [ -n "$postmaster" ]; then
        kill -QUIT "$postmaster" 2>/dev/null || true
        wait "$postmaster" 2>/dev/null || true
    fi
    rm -rf "$base"
}
trap finish EXIT
trap 'exit 130' INT TERM

$as_owner env -C "$base" "$bin/initdb" -D "$base/data" -U tributary -A trust -E UTF8 --no-locale -N \
    >"$base/initdb.log" 2>&1 || { cat "$base/initdb.log" >&2; exit 1; }
$as_owner env -C "$base" "$bin/postgres" -D "$base/data" -c listen_addresses= \
    -c unix_socket_directories="$base" -c unix_socket_permissions=0777 -c fsync=off \
    -c max_prepared_transactions=4 -c shared_buffers=64MB >"$base/postgres.log" 2>&1 &
postmaster=$!

tries=0
until "$bin/pg_isready" -q -h "$base" -U tributary -d postgres; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || ! kill -0 "$postmaster" 2>/dev/null; then
        cat "$base/postgres.log" >&2
        exit 1
    fi
    sleep 0.1
done

TRIBUTARY_TEST_DB="host=$base user=tributary dbname=postgres"
TRIBUTARY_TEST_POSTMASTER=$postmaster
export TRIBUTARY_TEST_DB TRIBUTARY_TEST_POSTMASTER
status=0
"$@" || status=$?
exit $status
