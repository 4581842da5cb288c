#!/bin/sh
# Installs the Debian packages that building, running and testing Tributary needs: deps.sh [run|test|list]
# Says what it installs; does nothing when all is there. NO_DEPS=1 skips it. Each is explained in docs/dependencies.md.
set -eu

[ -z "${NO_DEPS:-}" ] || [ "${1:-run}" = list ] || exit 0

build="build-essential pkg-config libcurl4-openssl-dev libpq-dev libpcre2-dev libyaml-dev libmicrohttpd-dev
libjansson-dev libicu-dev libphonenumber-dev libidn2-dev libsqlite3-dev libssl-dev
libsodium-dev libsystemd-dev libxxhash-dev"
run="postgresql-15 postgresql-client-15 curl adduser ca-certificates"
test="libcmocka-dev libexpat1-dev python3 python3-pytest python3-psycopg2 clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev
cppcheck shellcheck chromium chromium-driver python3-selenium fonts-wqy-zenhei git"
# Node comes with some machines from elsewhere; Debian's is taken only where there is none.
command -v npm >/dev/null 2>&1 || test="$test nodejs npm"

if [ "${1:-run}" = list ]; then
    # shellcheck disable=SC2086
    printf '%s\n' $build $run $test
    exit 0
fi
wanted="$build $run"
[ "${1:-run}" = run ] || wanted="$wanted $test"

missing=
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    as_root=sudo
    command -v sudo >/dev/null 2>&1 || {
        echo "deps: these packages are missing and neither root nor sudo is here:$missing" >&2
        exit 1
    }
fi
echo "deps: installing$missing"
$as_root apt-get update -qq
# PostgreSQL's package would start a server of its own on the standard port; Tributary runs its own.
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    $as_root mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
