#!/bin/sh
# Runs the sample: run-sample.sh BUILD_DIR. Stays in the foreground; Ctrl-C ends it, running it again goes on where it was.
set -eu

build=$1
sample=$(cd "$(dirname "$0")/sample" && pwd)
if [ "$(id -u)" = 0 ]; then
    base=/var/lib/tributary
else
    base=${XDG_STATE_HOME:-$HOME/.local/state}/tributary
fi
export TRIBUTARY_STATE="${TRIBUTARY_STATE:-$base/sample}"
export TRIBUTARY_DROP="$TRIBUTARY_STATE/drop"
export TRIBUTARY_SAMPLE="$sample"
export TRIBUTARY_PUBLIC="${TRIBUTARY_PUBLIC:-127.0.0.1:8080}"
export TRIBUTARY_PRIVATE="${TRIBUTARY_PRIVATE:-127.0.0.1:8081}"
config=$TRIBUTARY_STATE/tributary.yaml
mkdir -p "$TRIBUTARY_DROP/shop" "$TRIBUTARY_DROP/summit" "$TRIBUTARY_DROP/contacts"

# The configuration as it stands, so that the commands below need nothing of this script.
sed -e "s|\${TRIBUTARY_STATE}|$TRIBUTARY_STATE|g" -e "s|\${TRIBUTARY_DROP}|$TRIBUTARY_DROP|g" \
    -e "s|\${TRIBUTARY_SAMPLE}|$TRIBUTARY_SAMPLE|g" -e "s|\${TRIBUTARY_PUBLIC}|$TRIBUTARY_PUBLIC|g" \
    -e "s|\${TRIBUTARY_PRIVATE}|$TRIBUTARY_PRIVATE|g" "$sample/sample.yaml" >"$config"

echo "Starting; the first start makes a private PostgreSQL and takes a few seconds. Log lines come in between."
"$build/tributary" run --config "$config" &
daemon=$!
trap 'kill -TERM $daemon 2>/dev/null || true; wait $daemon || true' EXIT
trap 'exit 0' INT TERM

# Ready, and ours: another program may stand at that address, but only our daemon takes our token and answers in its way.
is_ready() {
    curl -fsS -o /dev/null "http://$TRIBUTARY_PRIVATE/readyz?strict" 2>/dev/null && [ -r "$TRIBUTARY_STATE/token" ] &&
        curl -fsS -H "Authorization: Bearer $(cat "$TRIBUTARY_STATE/token")" \
            "http://$TRIBUTARY_PRIVATE/v1/status" 2>/dev/null | grep -q '"uptime_s":' && kill -0 $daemon 2>/dev/null
}
waited=0
until is_ready; do
    kill -0 $daemon 2>/dev/null || exit 1
    waited=$((waited + 1))
    [ $waited -lt 600 ] || { echo "run-sample: not ready after two minutes" >&2; exit 1; }
    sleep 0.2
done

# Everything accepted is resolved: the total stands in the first column of the status document.
settle() {
    until "$build/tributary" status --config "$config" --format=json | grep -q '^ "in_flight": 0,'; do
        sleep 0.2
    done
}
# One after the other, so that the records have the same numbers every time.
drop() {
    cp "$sample/$1.csv" "$TRIBUTARY_DROP/$1/"
    while [ -e "$TRIBUTARY_DROP/$1/$1.csv" ] || [ -n "$(ls "$TRIBUTARY_DROP/$1/work" 2>/dev/null)" ]; do
        sleep 0.2
    done
    settle
}
echo "A form is posted, and three files are dropped into folders: records of one person in each ..."
curl -fsS -o /dev/null -H 'Accept: application/json' "http://$TRIBUTARY_PUBLIC/f/landing" \
    --data-urlencode 'name=林小雯' --data-urlencode 'email=Xiaowen.Lin+summit@gmail.com' \
    --data-urlencode 'message=请联系我' --data-urlencode 'newsletter=yes' \
    --data-urlencode '_idempotency_key=sample' # so that running the sample again is not another post
settle
drop summit
drop shop
drop contacts

cat <<END

Tributary runs. Five records of four sources became one customer (customer show 1):

END
"$build/tributary" customer show 1 --config "$config" || true
cat <<END

Her namesake, with another phone, stays apart (customer find 林晓雯):

END
"$build/tributary" customer find 林晓雯 --config "$config" || true
cat <<END

  landing page   http://$TRIBUTARY_PUBLIC/f/landing
  status page    http://$TRIBUTARY_PRIVATE/?token=$(cat "$TRIBUTARY_STATE/token")
  drop folders   $TRIBUTARY_DROP/{shop,summit,contacts}
  events         $TRIBUTARY_STATE/events.jsonl

It stays in the foreground; Ctrl-C ends it. Try, in another terminal:

  export TRIBUTARY_CONFIG=$config
  $build/tributary explain 1 2               # why two records are one customer
  $build/tributary customer split 1 10       # and: decision list, decision undo, customer history 1
  $build/tributary rejects list              # what was refused, and why
  $build/tributary status

END
wait $daemon
