"""Something holds a lock on a table the resolver writes: posts are accepted all the same, what is asked is answered or refused in
time, readiness says what is the matter, and when the lock is gone everything is resolved, once."""
import json
import threading
import time
import urllib.error
import urllib.request

import pytest
from conftest import wait_until
from daemon import ledger
from test_database_faults import Setting

LANE = 1024  # batches of posts in memory, LIVE_LANE_MAX


@pytest.fixture
def stuck(postgres, tmp_path):
    """A daemon that cannot commit what it resolved: (its setting, a connection, what releases it)."""
    with Setting(postgres, tmp_path, 110) as it:
        connection, holder = postgres.connect(it.database), postgres.connect(it.database)
        for _ in range(2):
            assert it.oracle.post(it.daemon)
        wait_until(lambda: count(connection, "tributary.record") == 2, 20, "two records")
        holder.autocommit = False
        holder.cursor().execute("LOCK TABLE tributary.event IN ACCESS EXCLUSIVE MODE")
        yield it, connection, holder.rollback
        holder.close()
        connection.close()


def count(connection, table):
    cursor = connection.cursor()
    cursor.execute(f"SELECT count(*) FROM {table}")
    return cursor.fetchone()[0]


def get(daemon, path, timeout=10):
    """(status, text) of the private side."""
    request = urllib.request.Request(f"http://127.0.0.1:{daemon.private}{path}",
                                     headers={"Authorization": f"Bearer {daemon.token}"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_posts_are_answered_though_nothing_can_be_resolved(stuck):
    it, connection, release = stuck
    wanted = LANE + 200
    for _ in range(wanted):
        assert it.oracle.post(it.daemon, timeout=10), it.oracle.answers[-1:]
    rows = ledger(connection)  # balances while they wait
    assert rows["landing"]["received"] == wanted + 2 and rows["landing"]["in_flight"] >= wanted - 10
    status, text = get(it.daemon, "/readyz")
    assert status == 200 and text.startswith("degraded: resolving is behind: "), text
    assert get(it.daemon, "/readyz?strict")[0] == 503
    release()
    it.judge()


def test_what_was_left_behind_is_resolved_after_a_kill(stuck):
    it, connection, release = stuck
    for _ in range(LANE + 50):
        assert it.oracle.post(it.daemon, timeout=10)
    it.daemon.kill()
    release()
    it.daemon.start()
    it.judge()


def test_questions_are_answered_and_changes_refused_in_time(stuck):
    it, _, release = stuck
    for _ in range(5):
        assert it.oracle.post(it.daemon, timeout=10)
    refused = []

    def merge():
        body = json.dumps({"a": 1, "b": 2, "actor": "test"}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{it.daemon.private}/v1/ops/customer.merge", data=body,
                                         headers={"Authorization": f"Bearer {it.daemon.token}"})
        try:
            urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            refused.append((error.code, error.read().decode()))

    merging = [threading.Thread(target=merge) for _ in range(2)]  # as many as operations have threads
    for thread in merging:
        thread.start()
    for path in ("/metrics", "/v1/status", "/readyz", "/livez"):
        started = time.monotonic()
        assert get(it.daemon, path)[0] == 200, path
        assert time.monotonic() - started < 10
    for thread in merging:
        thread.join()
    assert [code for code, _ in refused] == [503, 503] and all("resolve.busy" in text for _, text in refused), refused
    assert get(it.daemon, "/v1/explain?a=1&b=2")[0] == 200  # needs nothing that is locked
    release()
    it.judge()
    assert not it.daemon.api("/v1/ops/decision.list", {})  # what was refused was not decided
