"""The promises of docs/architecture.md, each as a test of its name, on the real program and a real PostgreSQL.

TRIBUTARY_LONG=1 runs them at full size (all 120 orders, 200,000 rows, 20 kills).
"""
import csv
import itertools
import os
import random
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import wait_until
from daemon import BUILD, Daemon, Receiver, ledger, settled

LONG = os.environ.get("TRIBUTARY_LONG") == "1"

ONE_PERSON = """
sources:
  landing: {type: form, path: /f/landing, country: CN}
  expo: {type: form, path: /f/expo, country: CN}
  shop: {type: csv, drop: DROP/shop, id: [订单编号], time: 订单创建时间, country: CN, verified: true, settle: 50ms}
  contacts: {type: csv, drop: DROP/contacts, id: [id], country: CN, settle: 50ms}
golden:
  source_rank: [shop, api, expo, landing, contacts]
  attribution: [source]  # posts have no time of their own: the first one differs by order
"""

# Five records of one person, and a namesake. The second comes to the others only through the third, the fourth only by a
# homophone of the given name; the namesake shares the name and nothing else.
PEOPLE = {
    "shop": "订单编号,收货人姓名,联系手机,收货地址,订单创建时间\n"
            "20261105,林晓雯(女士),139-1717-3952,上海市浦东新区张江路88号3栋501室,2026-11-05 10:22:31\n",
    "contacts": "id,姓名,公司,微信号\nc1,小雯,华信科技,lin_xw88\n",
    "api": {"external_id": "a1", "effective_at": "2026-11-01T00:00:00Z",
            "fields": {"full_name": "林晓雯", "phone": "+86 139 1717 3952", "wechat_id": "lin_xw88",
                       "company": "上海华信科技有限公司", "email": "xiaowen.lin@gmail.com"}},
    "landing": {"name": "林小雯", "email": "XiaowenLin+expo@gmail.com"},
    "expo": {"name": "Xiaowen LIN", "email": "xiaowen.lin@gmail.com", "phone": "13917173952"},
}
NAMESAKE = {"external_id": "n1", "effective_at": "2026-11-01T00:00:00Z",
            "fields": {"full_name": "林晓雯", "phone": "+86 150 1122 7788", "city": "北京"}}


def deliver(daemon, drop, source):
    if source in ("landing", "expo"):
        status, reply = daemon.post(f"/f/{source}", PEOPLE[source])
        assert status == 200, reply
    elif source == "api":
        daemon.api("/v1/records", PEOPLE["api"])
    else:
        (drop / source).mkdir(parents=True, exist_ok=True)
        part = drop / source / ".part"
        part.write_text(PEOPLE[source], encoding="utf-8")
        part.rename(drop / source / f"{source}.csv")


def records_stored(connection, count):
    cursor = connection.cursor()
    cursor.execute("SELECT count(*) FROM tributary.record")
    return cursor.fetchone()[0] == count and settled(connection)


def partition_and_values(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT array_agg(source || '/' || part ORDER BY source), min(customer_id) FROM golden.record_customer "
                   "GROUP BY customer_id")
    groups = {customer: tuple(members) for members, customer in cursor.fetchall()}
    cursor.execute("SELECT * FROM golden.customer")
    names = [column.name for column in cursor.description]
    volatile = {"customer_id", "version", "created_at", "updated_at", "first_seen_at", "last_seen_at", "lead_at",
                "lead_source", "lead_count"}
    values = []
    for row in cursor.fetchall():
        fields = dict(zip(names, row))
        values.append((groups[fields["customer_id"]],
                       tuple((k, str(v)) for k, v in fields.items() if k not in volatile)))
    return sorted(values)


def leads(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT count(*) FILTER (WHERE type = 'lead.created') - count(*) FILTER (WHERE type = 'lead.merged') "
                   "FROM golden.event")
    return cursor.fetchone()[0]


def one_order(postgres, directory, template, order):
    name = postgres.create_database(template)
    drop = directory / "drop"
    daemon = Daemon(directory, postgres.conninfo(name), ONE_PERSON.replace("DROP", str(drop)))
    connection = postgres.connect(name)
    try:
        daemon.start()
        daemon.api("/v1/records", NAMESAKE)
        for count, source in enumerate(order, 1):
            if count == 3:
                daemon.restart()
            deliver(daemon, drop, source)
        wait_until(lambda: records_stored(connection, 6), 30, "six records")
        result = partition_and_values(connection), leads(connection)
        assert daemon.stop() == 0
        return result
    finally:
        connection.close()
        daemon.kill()
        postgres.drop_database(name)


def test_order_does_not_matter_with_a_restart_in_between(postgres, database, tmp_path):
    template = Daemon(tmp_path / "template", postgres.conninfo(database),
                      ONE_PERSON.replace("DROP", str(tmp_path / "none")))
    template.start()
    assert template.stop() == 0
    orders = list(itertools.permutations(PEOPLE))
    if not LONG:
        orders = random.Random(1).sample(orders, 12)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda item: one_order(postgres, tmp_path / f"order{item[0]}", database, item[1]),
                                enumerate(orders)))
    partition, lead_count = results[0]
    assert len(partition) == 2, partition
    assert sorted(len(members) for members, _ in partition) == [1, 5]
    assert lead_count == 2  # the person and the namesake
    for order, result in zip(orders, results):
        different = [(a, b) for (_, left), (_, right) in zip(result[0], partition) for a, b in zip(left, right) if a != b]
        assert result == results[0], (order, different)


def test_what_comes_later_without_a_time_is_newer_even_after_the_clock_was_set_back(postgres, database, tmp_path):
    ids = range(30)
    sheet = tmp_path / "twice.csv"
    sheet.write_text("id,full_name,city\n" + "".join(f"{i},Ann Other{i},First\n{i},Ann Other{i},Second\n" for i in ids),
                     encoding="utf-8")
    daemon = Daemon(tmp_path, postgres.conninfo(database), f"sources:\n  old: {{type: csv, drop: {tmp_path}/drop, id: [id]}}\n")
    connection = postgres.connect(database)
    connection.autocommit = True
    cursor = connection.cursor()

    def cities():
        cursor.execute("SELECT city, count(*) FROM golden.customer GROUP BY 1")
        return dict(cursor.fetchall())

    with daemon:
        daemon.run("load", "old", str(sheet))
        assert cities() == {"Second": len(ids)}  # two rows of one file
        daemon.stop()
        cursor.execute("UPDATE tributary.record SET effective_at = effective_at + interval '1 hour'")
        daemon.start()
        sheet.write_text("id,full_name,city\n" + "".join(f"{i},Ann Other{i},Third\n" for i in ids), encoding="utf-8")
        daemon.run("load", "old", str(sheet))
        assert cities() == {"Third": len(ids)}
        row = ledger(connection)["old"]
        assert (row["stored"], row["updated"], row["repeat"], row["in_flight"]) == (len(ids), 2 * len(ids), 0, 0)
        daemon.kill()
        daemon.start()
        assert cities() == {"Third": len(ids)}
    connection.close()


def generate(directory, records):
    subprocess.run(["cc", "-O2", "-o", str(BUILD / "generate"), "tests/bench/generate.c", "-lm"], check=True)
    subprocess.run([str(BUILD / "generate"), "--population", "mixed", "--records", str(records), "--seed", "77",
                    "--format", "single", "--out", str(directory)], check=True, stdout=subprocess.DEVNULL)
    with open(directory / "customers.csv", encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


SHEET = "sources:\n  sheet: {type: csv, drop: DROP, id: [id], time: registered_at}\n"


def test_nothing_is_lost_when_a_load_is_killed(postgres, database, tmp_path):
    rows = generate(tmp_path, 200000 if LONG else 20000)
    kills = 20 if LONG else 5
    daemon = Daemon(tmp_path, postgres.conninfo(database), SHEET.replace("DROP", str(tmp_path / "drop")))
    connection = postgres.connect(database)
    cursor = connection.cursor()
    rng = random.Random(5)
    arguments = [str(BUILD / "tributary"), "load", "--config", str(daemon.config), "sheet",
                 str(tmp_path / "customers.csv")]

    def accepted():
        cursor.execute("SELECT to_regclass('tributary.ledger')")
        if cursor.fetchone()[0] is None:
            return 0
        cursor.execute("SELECT coalesce(sum(stored + rejected), 0) FROM tributary.ledger WHERE source = 'sheet'")
        return cursor.fetchone()[0]

    for kill in range(kills):
        target = rows * (0.05 + 0.9 * (kill + rng.random()) / kills)
        load = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda target=target, load=load: accepted() >= target or load.poll() is not None, 300, "progress")
        load.kill()
        load.wait()
    assert subprocess.run(arguments, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    row = ledger(connection)["sheet"]
    assert row["in_flight"] == 0
    cursor.execute("SELECT count(*), count(DISTINCT external_id) FROM tributary.record")
    stored, distinct = cursor.fetchone()
    assert stored == distinct
    with open(tmp_path / "customers.csv", encoding="utf-8", newline="") as file:
        ids = {line["id"] for line in csv.DictReader(file)}
    cursor.execute("SELECT external_id FROM tributary.record")
    there = {found for found, in cursor.fetchall()}
    cursor.execute("SELECT external_id FROM tributary.reject")
    refused = {found for found, in cursor.fetchall()}
    assert there | refused == ids and not there & refused
    cursor.execute("SELECT count(*) FROM tributary.record r LEFT JOIN tributary.customer c USING (customer_id) "
                   "WHERE c.customer_id IS NULL")
    assert cursor.fetchone()[0] == 0
    cursor.execute("SELECT count(*), count(DISTINCT seq), max(seq) FROM tributary.event")
    count, different, highest = cursor.fetchone()
    assert count == different == highest  # numbered without gaps
    connection.close()


def test_identical_posts_make_one_customer_and_one_lead(postgres, database, tmp_path):
    pairs = 1000
    hook = Receiver()
    daemon = Daemon(tmp_path, postgres.conninfo(database),
                    "sources:\n  landing: {type: form, path: /f/landing, country: CN}\n"
                    f"sinks:\n  crm: {{type: webhook, url: \"{hook.url}\", events: [lead.created]}}\n",
                    http=", requests_per_second: 0")  # all come from one address
    connection = postgres.connect(database)
    cursor = connection.cursor()
    rng = random.Random(9)
    letters = "abcdefghijklmnopqrstuvwxyz"
    people = [{"name": "".join(rng.choices(letters, k=8)).title() + " " + "".join(rng.choices(letters, k=9)).title(),
               "email": f"p{i}.{''.join(rng.choices(letters, k=8))}@mail.example.org",
               "_idempotency_key": f"k{i}"} for i in range(pairs)]
    posts = people * 2
    rng.shuffle(posts)
    with daemon:
        with ThreadPoolExecutor(64) as pool:
            assert all(status == 200 for status, _ in pool.map(lambda p: daemon.post("/f/landing", p), posts))
        wait_until(lambda: settled(connection), 60, "the posts to be resolved")
        row = ledger(connection)["landing"]
        assert (row["received"], row["stored"], row["repeat"]) == (2 * pairs, pairs, pairs)
        cursor.execute("SELECT count(*) FROM golden.customer")
        assert cursor.fetchone()[0] == pairs
        wait_until(lambda: len(hook.events("tributary.lead.created.v1")) >= pairs, 60, "the leads at the sink")
        leads_told = hook.events("tributary.lead.created.v1")
        assert len({event["id"] for event in leads_told}) == pairs
        assert len({event["data"]["customer_id"] for event in leads_told}) == pairs
    hook.close()
    connection.close()


def test_every_merge_can_be_undone(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), "sources: {}\n")
    connection = postgres.connect(database)
    cursor = connection.cursor()

    def customers():
        cursor.execute("SELECT external_id, customer_id FROM golden.record_customer ORDER BY 1")
        return dict(cursor.fetchall())

    with daemon:
        for who, phone in (("a", "+8613917173952"), ("b", "+8615011227788")):
            daemon.api("/v1/records", {"external_id": who, "fields": {"full_name": "林晓雯", "phone": phone}})
        wait_until(lambda: records_stored(connection, 2), 20, "two records")
        before = customers()
        assert before["a"] != before["b"]
        daemon.run("customer", "merge", str(before["a"]), str(before["b"]), "--actor", "test")
        merged = customers()
        assert merged["a"] == merged["b"] == min(before.values())
        cursor.execute("SELECT customer_id FROM golden.redirect WHERE old_id = %s", (max(before.values()),))
        assert cursor.fetchone()[0] == merged["a"]
        decision = daemon.run("decision", "list", "--format=json").stdout
        assert "always" in decision
        daemon.restart()
        assert customers() == merged
        daemon.run("decision", "undo", "1", "--actor", "test")
        assert customers() == before
        cursor.execute("SELECT type FROM golden.event ORDER BY seq")
        told = [kind for kind, in cursor.fetchall()]
        assert told.count("customer.merged") == 1 and told.count("customer.split") == 1
        assert told.count("lead.created") == 2 and told.count("lead.merged") == 1
    connection.close()


def test_a_backfill_makes_no_lead_and_the_first_post_does(postgres, database, tmp_path):
    sheet = tmp_path / "old.csv"
    sheet.write_text("id,full_name,email\n1,林晓雯,xiaowen.lin@gmail.com\n", encoding="utf-8")
    daemon = Daemon(tmp_path, postgres.conninfo(database),
                    f"sources:\n  old: {{type: csv, drop: {tmp_path}/drop, id: [id]}}\n"
                    "  landing: {type: form, path: /f/landing, country: CN}\n")
    connection = postgres.connect(database)
    cursor = connection.cursor()
    with daemon:
        daemon.run("load", "--backfill", "old", str(sheet))
        assert leads(connection) == 0
        assert daemon.post("/f/landing", {"name": "林晓雯", "email": "xiaowen.lin@gmail.com"})[0] == 200
        wait_until(lambda: records_stored(connection, 2), 20, "two records")
        assert leads(connection) == 1
        cursor.execute("SELECT count(*) FROM golden.customer")
        assert cursor.fetchone()[0] == 1
    connection.close()


def test_posts_are_kept_while_postgresql_is_away(own_postgres, tmp_path):
    name = own_postgres.create_database()
    daemon = Daemon(tmp_path, own_postgres.conninfo(name),
                    "sources:\n  landing: {type: form, path: /f/landing, country: CN}\n")
    own_postgres.stop()
    daemon.start(ready=False)
    wait_until(lambda: daemon.is_ready("/livez"), 20, "life")
    for i in range(20):
        status, reply = daemon.post("/f/landing", {"name": f"Kim Sample{chr(97 + i)}", "email": f"kim{i}@mail.example.org"})
        assert status == 200, reply
    assert daemon.is_ready("/readyz") and not daemon.is_ready()
    own_postgres._launch()
    wait_until(daemon.is_ready, 30, "readiness")
    connection = own_postgres.connect(name)
    wait_until(lambda: records_stored(connection, 20), 30, "the spooled posts")
    own_postgres.stop()
    assert daemon.post("/f/landing", {"name": "Late Comer", "email": "late@mail.example.org"})[0] == 200
    assert daemon.stop() == 0  # nothing in the way of a clean end
    connection.close()
    own_postgres._launch()
    daemon.start()
    connection = own_postgres.connect(name)
    wait_until(lambda: records_stored(connection, 21), 30, "the last post, after a restart")
    assert daemon.stop() == 0
    connection.close()
