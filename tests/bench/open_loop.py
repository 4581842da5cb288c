"""Posts at fixed times and a webhook that notes when it was called, each one thread around a selector.

What measures must not be what is slow: a post costs the sender some 50 us here, with http.client and a thread a
connection it was twenty times as much, on the cores that the daemon needs.
"""
import collections
import json
import random
import selectors
import socket
import time
import urllib.parse

CONNECTIONS_MAX = 256
GIVE_UP_S = 60


def content_length(head):
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


class Reader:
    """Bytes of one connection, taken apart into messages (head, body)."""
    def __init__(self):
        self.buffer = bytearray()

    def feed(self, data):
        self.buffer += data
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self.buffer[:end])
            length = end + 4 + content_length(head)
            if len(self.buffer) < length:
                return
            body = bytes(self.buffer[end + 4:length])
            del self.buffer[:length]
            yield head, body


def post_of(label, number):
    tag = random.getrandbits(40)
    form = urllib.parse.urlencode({"name": f"Quentin Latenz{tag:x}", "email": f"q{tag:x}@latency-{label}.example",
                                   "message": "please call"}).encode()
    head = ("POST /f/landing HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Accept: application/json\r\nIdempotency-Key: {label}-{number}\r\n"
            f"X-Forwarded-For: 198.18.{tag & 255}.{tag >> 8 & 255}\r\nContent-Length: {len(form)}\r\n\r\n")
    return head.encode() + form


class Sender:
    """Sends post i at start + i / rate, on whichever connection is free; a new one when none is."""
    def __init__(self, port, rate, seconds, label):
        self.port, self.rate, self.label = port, rate, label
        self.total = int(rate * seconds)
        self.posts = [post_of(label, number) for number in range(self.total)]
        self.selector = selectors.DefaultSelector()
        self.idle = collections.deque()
        self.open = 0
        self.done = []

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        state = {"socket": connection, "reader": Reader(), "number": None, "due": 0.0}
        self.selector.register(connection, selectors.EVENT_READ, state)
        self.open += 1
        return state

    def close(self, state):
        self.selector.unregister(state["socket"])
        state["socket"].close()
        self.open -= 1

    def finish(self, state, status):
        self.done.append((f"{self.label}-{state['number']}", state["due"], time.time(), status))
        state["number"] = None

    def send(self, state, number, due):
        state["number"], state["due"] = number, due
        try:
            state["socket"].sendall(self.posts[number])
        except OSError:
            self.finish(state, 0)
            self.close(state)

    def read(self, state):
        try:
            data = state["socket"].recv(65536)
        except OSError:
            data = b""
        for head, _ in state["reader"].feed(data):
            self.finish(state, int(head.split(b" ", 2)[1]))
            self.idle.append(state)
        if not data:
            if state["number"] is not None:
                self.finish(state, 0)
            elif state in self.idle:
                self.idle.remove(state)
            self.close(state)

    def run(self):
        start, number, until = time.time() + 0.2, 0, None
        while len(self.done) < self.total and (until is None or time.time() < until):
            due = start + number / self.rate
            while number < self.total and due <= time.time() and (self.idle or self.open < CONNECTIONS_MAX):
                self.send(self.idle.popleft() if self.idle else self.connect(), number, due)
                number += 1
                due = start + number / self.rate
            if number == self.total and until is None:
                until = time.time() + GIVE_UP_S
            wait = max(0.0, due - time.time()) if number < self.total else 0.1
            for key, _ in self.selector.select(min(wait, 0.1)):
                self.read(key.data)
        return self.done


def send(port, rate, seconds, label, results):
    """In a process of its own: (key, due, answered, status) of each post goes to `results`."""
    results.put(Sender(port, rate, seconds, label).run())


def receive(port, arrivals):
    """The webhook, in a process of its own: (external id, time of arrival) for each lead, once a second."""
    selector = selectors.DefaultSelector()
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    selector.register(listener, selectors.EVENT_READ)
    bodies, flushed = [], time.time()
    while True:
        for key, _ in selector.select(0.2):
            if key.fileobj is listener:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ, Reader())
                continue
            try:
                data = key.fileobj.recv(65536)
            except OSError:
                data = b""
            now = time.time()
            for _, body in key.data.feed(data):
                bodies.append((body, now))
                key.fileobj.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            if not data:
                selector.unregister(key.fileobj)
                key.fileobj.close()
        if time.time() - flushed > 1:
            for body, at in bodies:
                arrivals.put((json.loads(body).get("data", {}).get("lead", {}).get("external_id"), at))
            bodies, flushed = [], time.time()
