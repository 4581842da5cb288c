"""What must hold of a database whatever happened to it, and what of it must not depend on how records were delivered."""
import json
import re

VOLATILE = {"customer_id", "version", "created_at", "updated_at", "lead_count"}


def rows(connection, query, *arguments):
    cursor = connection.cursor()
    cursor.execute(query, arguments)
    return cursor.fetchall()


def record_names(connection):
    return {record: (source, external) for record, source, external in rows(
        connection, "SELECT r.record_id, s.name, r.external_id || coalesce(' ' || nullif(r.part, 'main'), '') "
                    "FROM tributary.record r JOIN tributary.source s USING (source_id)")}


def hashable(value):
    return tuple(hashable(v) for v in value) if isinstance(value, list) else \
        json.dumps(value, sort_keys=True) if isinstance(value, dict) else value


def snapshot(connection):
    """space -> what must be equal in every database these records were delivered to, by natural keys."""
    names = record_names(connection)
    members, spaces = {}, {}
    for record, customer in rows(connection, "SELECT record_id, customer_id FROM tributary.record WHERE customer_id IS NOT NULL"):
        members.setdefault(customer, set()).add(names[record])
    group = {customer: tuple(sorted(records)) for customer, records in members.items()}
    customer_of = {name: customer for customer, records in members.items() for name in records}

    def put(customer, what, value):
        space = "space" + re.match(r"w(\d+)_", group[customer][0][0]).group(1)
        spaces.setdefault(space, {}).setdefault(group[customer], {}).setdefault(what, []).append(value)

    cursor = connection.cursor()
    cursor.execute("SELECT * FROM golden.customer")
    columns = [column.name for column in cursor.description]
    for row in cursor.fetchall():
        customer = dict(zip(columns, row))
        for name, value in customer.items():
            if name not in VOLATILE:
                put(customer["customer_id"], name, hashable(value))
        put(customer["customer_id"], "is a lead", customer["lead_count"] > 0)
    for customer, field, value, record, verified, agreeing, runners in rows(
            connection, "SELECT customer_id, field, value, record_id, verified, agreeing_records, runners_up FROM golden.provenance"):
        put(customer, "provenance", (field, value, names[record], verified, agreeing,
                                     tuple((other, names[of]) for other, of in runners)))
    for customer, *consent in rows(connection, "SELECT customer_id, purpose, granted, latest_at, statements FROM golden.consent"):
        put(customer, "consent", tuple(consent))
    for customer, *activity in rows(connection, "SELECT customer_id, at, type, key, data, source, external_id, part FROM golden.activity"):
        put(customer, "activity", hashable(activity))
    for person, company, *work in rows(connection, "SELECT person_id, company_id, job_title, since, last_seen, sources, person_records "
                                                   "FROM golden.works_for"):
        put(person, "works for", (group[company], *hashable(work[:-1]), tuple(sorted(names[record] for record in work[-1]))))
    for a, b, reason, weight in rows(connection, "SELECT a, b, reason, weight FROM tributary.link"):
        put(customer_of[names[a]], "link", (*sorted((names[a], names[b])), reason, weight))
    for a, b, reason, weight, *bridge in rows(connection, "SELECT a, b, reason, weight, bridge_a, bridge_b FROM tributary.review"):
        pair = [(names[a], names.get(bridge[0])), (names[b], names.get(bridge[1]))]
        put(customer_of[names[a]], "review of the pair", (reason, weight))
        space = "space" + re.match(r"w(\d+)_", names[a][0]).group(1)
        spaces[space].setdefault("reviews", {}).setdefault("all", []).append((reason, weight, *sorted(pair, key=str)))
    for groups in spaces.values():
        groups.get("reviews", {}).pop("review of the pair", None)
        for values in groups.values():
            values.pop("review of the pair", None)
            for what in values:
                values[what].sort(key=str)
    return spaces


def check_structure(connection):
    """Redirects, links, history and counters; returns (highest record id, highest event)."""
    records = rows(connection, "SELECT record_id, customer_id FROM tributary.record")
    living = {customer for customer, in rows(connection, "SELECT customer_id FROM golden.customer")}
    where = dict(rows(connection, "SELECT old_id, customer_id FROM golden.redirect"))
    for record, customer in records:
        assert (record in living) != (record in where), f"id {record} is neither a customer nor redirected, or both"
        assert record in living or where[record] is None or where[record] in living, f"{record} leads to {where[record]}"
        assert customer is None or customer in living, (record, customer)
    by_customer = {}
    for record, customer in records:
        if customer is not None:
            by_customer.setdefault(customer, set()).add(record)
    assert by_customer.keys() == living
    assert rows(connection, "SELECT customer_id FROM tributary.record WHERE customer_id IS NOT NULL GROUP BY customer_id "
                            "HAVING count(DISTINCT kind) > 1") == [], "a person and a company are one customer"
    for customer, members in by_customer.items():
        assert customer == min(members), (customer, members)
    check_forest(connection, {record: customer for record, customer in records}, by_customer)
    check_history(connection)
    counters = dict(rows(connection, "SELECT name, value FROM tributary.counter"))
    assert counters["record_id"] >= max((record for record, _ in records), default=0)
    (count, different, highest), = rows(connection, "SELECT count(*), count(DISTINCT seq), coalesce(max(seq), 0) FROM tributary.event")
    assert count == different == highest == counters["event_seq"]
    return counters["record_id"], highest


def check_forest(connection, customer_of_record, by_customer):
    joined = {record: record for members in by_customer.values() for record in members}

    def root(record):
        while joined[record] != record:
            record = joined[record]
        return record

    links = rows(connection, "SELECT a, b FROM tributary.link")
    for a, b in links:
        assert customer_of_record.get(a) is not None and customer_of_record[a] == customer_of_record.get(b), (a, b)
        assert root(a) != root(b), f"link {a} - {b} closes a circle"
        joined[root(a)] = root(b)
    for customer, members in by_customer.items():
        assert len({root(record) for record in members}) == 1, f"customer {customer} is not held together by its links"


def check_history(connection):
    versions = {}
    for customer, version in rows(connection, "SELECT customer_id, version FROM golden.history ORDER BY customer_id, version"):
        versions.setdefault(customer, []).append(version)
    now = dict(rows(connection, "SELECT customer_id, version FROM golden.customer"))
    for customer, found in versions.items():
        assert found[0] in (1, 2) and found == list(range(found[0], found[0] + len(found))), \
            f"customer {customer}: history has versions {found}"
        assert customer not in now or found[-1] == now[customer], f"customer {customer} is at {now[customer]}, history at {found[-1]}"
    for customer, version in now.items():
        assert customer in versions or version == 1, f"customer {customer} is at {version} without a history"


class Told:
    """A consumer that knows nothing but golden.event: what it believes of the customers."""

    def __init__(self):
        self.customers, self.versions, self.destinations = {}, {}, set()
        self.counts = {}

    def take(self, kind, data):
        self.counts[kind] = self.counts.get(kind, 0) + 1
        customer, version = data.get("customer_id"), data.get("version")
        if kind in ("record.rejected", "review.opened", "source.silent"):
            return
        assert version >= self.versions.get(customer, 0), f"{kind} of {customer}: {version} after {self.versions[customer]}"
        self.versions[customer] = version
        if kind == "customer.removed":
            self.gone(customer)
            return
        if kind == "customer.merged":
            assert data["merged"] != customer
            self.gone(data["merged"])
        if kind == "customer.split":
            self.destinations.update(data["records"].values())
        if data.get("customer") is None:
            assert kind == "customer.split", kind
            self.gone(customer)  # nothing of it is left
        else:
            self.customers[customer] = data["customer"]

    def gone(self, customer):
        self.customers.pop(customer, None)


def check_events(connection):
    """Replays the log and compares; returns how often each thing was told."""
    told = Told()
    for seq, kind, customer, data in rows(connection, "SELECT seq, type, customer_id, data FROM golden.event ORDER BY seq"):
        try:
            assert customer == data.get("customer_id") or "customer_id" not in data
            told.take(kind, data)
        except AssertionError as wrong:
            raise AssertionError(f"event {seq}: {wrong}") from wrong
    golden, leads, versions = {}, {}, {}
    for customer, version, lead_count in rows(connection, "SELECT customer_id, version, lead_count FROM golden.customer"):
        golden[customer], leads[customer], versions[customer] = {}, lead_count > 0, version
    for customer, field, value in rows(connection, "SELECT customer_id, field, value FROM golden.provenance"):
        golden[customer].setdefault(field, []).append(value)
    for customer, believed in told.customers.items():
        assert customer in golden, f"customer {customer} was told of and is not there"
        plain = {field: value if isinstance(value, list) else [value] for field, value in believed.items()}
        assert {f: sorted(v) for f, v in plain.items()} == {f: sorted(v) for f, v in golden[customer].items()}, \
            f"customer {customer} was told to be {plain} and is {golden[customer]}"
        assert told.versions[customer] == versions[customer], (customer, told.versions[customer], versions[customer])
    for customer in golden.keys() - told.customers.keys():
        # Not told of: records of a source without leads that never changed. A lead may have come to them out of a split.
        assert versions[customer] == 1, f"nothing was told of customer {customer}, which is at version {versions[customer]}"
        assert not leads[customer] or customer in told.destinations, f"lead {customer} was never told"
    return told.counts
