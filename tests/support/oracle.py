"""What must be true after any fault: every record that was acknowledged is there once, nothing was invented, the counts
balance, and a new record still flows.

An id is claimed, submitted, and on 2xx becomes an obligation. Records are told apart by their e-mail addresses, which
the workload makes unique.
"""
import re
import threading
import urllib.error

from conftest import wait_until
from daemon import ledger, settled

EMAIL = re.compile(r"p\d{1,9}x\d{1,9}@mail\.example\.org")
LETTERS = "abcdefghijklmnopqrstuvwxyz"

CONFIG = """
sources:
  landing: {type: form, path: /f/landing, country: CN}
  sheet: {type: csv, drop: DROP, id: [id], settle: 50ms}
limits: {batch_records: 20}
"""


def name_of(number):
    """A name that no other number has anything of."""
    text = ""
    for _ in range(8):
        number, text = number * 48271 % 2147483647, text + LETTERS[number * 31 % 26]
    return text.title()


class Oracle:
    """One run: makes records, remembers which were acknowledged, and judges."""

    def __init__(self, seed):
        self.seed, self.lock, self.number = seed, threading.Lock(), 0
        self.acknowledged, self.issued, self.open = set(), set(), {}
        self.answers = []
        self.lost = self.twice = None  # counted by judge

    def person(self):
        with self.lock:
            self.number += 1
            number = self.number
        email = f"p{self.seed}x{number}@mail.example.org"
        with self.lock:
            self.issued.add(email)
        return email, {"name": f"{name_of(self.seed * 7919 + number * 2 + 1)} {name_of(self.seed * 104729 + number * 2 + 2)}",
                       "email": email}

    def post(self, daemon, timeout=30):
        """A form post; True when acknowledged. One that was not is kept, to be sent again as it was."""
        email, fields = self.person()
        return self.send(daemon, email, dict(fields, _idempotency_key=f"key-{email}"), timeout)

    def send(self, daemon, email, fields, timeout=30):
        with self.lock:
            self.open[email] = fields
        try:
            status, _ = daemon.post("/f/landing", fields, timeout=timeout)
        except (urllib.error.URLError, OSError, ValueError):
            return False
        with self.lock:
            self.answers.append(status)
            if status == 200:
                self.acknowledged.add(email)
                del self.open[email]
        return status == 200

    def send_again(self, daemon):
        for email, fields in list(self.open.items()):
            assert self.send(daemon, email, fields), (email, self.answers[-1:])

    def push(self, daemon):
        email, fields = self.person()
        try:
            reply = daemon.api("/v1/records", {"external_id": email, "fields": {"full_name": fields["name"],
                                                                                "email": email}})
        except (urllib.error.URLError, OSError, ValueError):
            return False
        assert reply["results"][0]["status"] in ("accepted", "repeat"), reply
        with self.lock:
            self.acknowledged.add(email)
        return True

    def sheet(self, drop, rows, name):
        """A file in the drop folder: what is in it is an obligation from now on."""
        lines = ["id,full_name,email"]
        for _ in range(rows):
            email, fields = self.person()
            lines.append(f"{email},{fields['name']},{email}")
            self.acknowledged.add(email)
        drop.mkdir(parents=True, exist_ok=True)
        part = drop / f".{name}"
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
        part.rename(drop / name)

    # ---- judging ----

    def stored(self, connection):
        """E-mail address -> how many records have it."""
        cursor = connection.cursor()
        cursor.execute("SELECT clean::text FROM tributary.record")
        found = {}
        for text, in cursor.fetchall():
            for email in set(EMAIL.findall(text)):
                found[email] = found.get(email, 0) + 1
        return found

    def missing(self, connection):
        return self.acknowledged - set(self.stored(connection))

    def judge(self, connection, deadline_s=30):
        """Waits until everything acknowledged is there and settled, and checks the rest."""
        wait_until(lambda: settled(connection) and not self.missing(connection), deadline_s,
                   lambda: f"missing {len(self.missing(connection))}, ledger {ledger(connection)}")
        found = self.stored(connection)
        self.lost = len(self.acknowledged - set(found))
        twice = {email: count for email, count in found.items() if count != 1}
        self.twice = len(twice)
        assert self.lost == 0 and not twice, (self.lost, twice)
        assert set(found) <= self.issued, set(found) - self.issued
        cursor = connection.cursor()
        cursor.execute("SELECT count(*), count(DISTINCT seq), coalesce(max(seq), 0) FROM tributary.event")
        count, different, highest = cursor.fetchone()
        assert count == different == highest, "events are numbered without gaps"
        cursor.execute("SELECT count(*) FROM tributary.record r LEFT JOIN tributary.customer c USING (customer_id) "
                       "WHERE c.customer_id IS NULL")
        assert cursor.fetchone()[0] == 0
        cursor.execute("SELECT count(*) FROM tributary.batch WHERE resolved_at IS NULL")
        assert cursor.fetchone()[0] == 0
        rows = ledger(connection)
        assert sum(row["stored"] for row in rows.values()) == len(found)
        return rows

    def counts(self):
        return f"acknowledged {len(self.acknowledged)}, missing {self.lost}, duplicates {self.twice}"
