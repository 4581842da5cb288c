"""Servers that answer as WooCommerce and Eventbrite do, for tests; Python's standard library only.

Each runs in threads on a free port of 127.0.0.1 and can be told to misbehave: `faults` is a list of callables taken one
per request, each given the handler; one that returns True has answered.
"""
import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit


class FakeServer:
    def __init__(self):
        self.requests = []  # (path, query as a dict, headers)
        self.faults = []
        self.lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                parts = urlsplit(self.path)
                query = {k: v[0] for k, v in parse_qs(parts.query).items()}
                with owner.lock:
                    owner.requests.append((parts.path, query, dict(self.headers)))
                    fault = owner.faults.pop(0) if owner.faults else None
                if fault and fault(self):
                    return
                owner.answer(self, parts.path, query)

            def reply(self, status, body, headers=None, content_type="application/json; charset=UTF-8"):
                data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(data)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def answer(self, handler, path, query):
        handler.reply(404, {"code": "not_found"})

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


# Faults.
def throttle(retry_after="0.2"):
    def fault(handler):
        handler.reply(429, {"code": "too_many"}, {"Retry-After": retry_after})
        return True
    return fault


def broken(status=500, body=b"<html>oops</html>"):
    def fault(handler):
        handler.reply(status, body, content_type="text/html")
        return True
    return fault


def cut_short(handler):
    """Promises more than it sends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'[{"id": 1')
    handler.wfile.flush()
    handler.close_connection = True
    return True


def trickle(seconds):
    def fault(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                handler.wfile.write(b" ")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass
        handler.close_connection = True
        return True
    return fault


def redirect(location):
    def fault(handler):
        handler.reply(302, b"", {"Location": location})
        return True
    return fault


def after(action):
    """Runs `action` before the request is answered as usual."""
    def fault(handler):
        action()
        return False
    return fault


def _address(name, number):
    return {"first_name": name, "last_name": "Doe", "company": "", "address_1": "%d Market" % number, "address_2": "",
            "city": "Springfield", "state": "CA", "postcode": "94103", "country": "US",
            "email": "%s@example.com" % name.lower(), "phone": "(555) 555-%04d" % number}


class WooCommerce(FakeServer):
    """Customers and orders, with Basic auth, page and per_page, X-WP-Total headers, Link and modified_after."""

    def __init__(self, key="ck_test:cs_test"):
        self.key = key
        self.customers = []
        self.orders = []
        super().__init__()

    def add_customer(self, number):
        with self.lock:
            self.customers.append({
                "id": number, "date_created_gmt": "2026-01-01T00:00:00", "date_modified_gmt": "2026-01-02T00:00:00",
                "email": "c%d@example.com" % number, "first_name": "C%d" % number, "last_name": "Doe",
                "username": "c%d" % number, "billing": _address("C%d" % number, number),
                "shipping": dict(_address("C%d" % number, number), address_1="")})

    def add_order(self, number, modified="2026-03-01T10:00:00", **changes):
        order = {"id": number, "number": str(number), "status": "processing", "currency": "USD", "total": "29.350",
                 "customer_id": 0, "customer_note": "", "date_created_gmt": "2026-03-01T09:00:00",
                 "date_modified_gmt": modified, "date_paid_gmt": None,
                 "billing": _address("B%d" % number, number), "shipping": _address("S%d" % number, number)}
        order.update(changes)
        with self.lock:
            self.orders = [each for each in self.orders if each["id"] != number] + [order]

    def answer(self, handler, path, query):
        expected = "Basic " + base64.b64encode(self.key.encode()).decode()
        if handler.headers.get("Authorization") != expected:
            handler.reply(401, {"code": "woocommerce_rest_cannot_view"})
            return
        kind = path.rsplit("/", 1)[-1]
        if path != "/wp-json/wc/v3/" + kind or kind not in ("customers", "orders"):
            handler.reply(404, {"code": "rest_no_route"})
            return
        with self.lock:
            items = sorted(self.customers if kind == "customers" else self.orders, key=lambda item: item["id"])
        since = query.get("modified_after")
        if since:
            items = [item for item in items if item["date_modified_gmt"] > since]
        size, page = int(query.get("per_page", 10)), int(query.get("page", 1))
        pages = -(-len(items) // size)
        headers = {"X-WP-Total": str(len(items)), "X-WP-TotalPages": str(pages)}
        if page < pages:
            following = dict(query, page=page + 1)
            headers["Link"] = '<%s%s?%s>; rel="next"' % (self.url, path, urlencode(following))
        handler.reply(200, items[(page - 1) * size:page * size], headers)


class Eventbrite(FakeServer):
    """Attendees of one event, with a bearer token that can expire and paging by continuation."""

    def __init__(self, token="token-1", page_size=2):
        self.token = token
        self.page_size = page_size
        self.attendees = []
        super().__init__()

    def add(self, number, changed="2026-10-02T00:00:00Z", **changes):
        attendee = {"id": str(number), "event_id": "9", "order_id": "77", "ticket_class_name": "General",
                    "checked_in": False, "cancelled": False, "refunded": False, "status": "Attending",
                    "created": "2026-10-01T00:00:00Z", "changed": changed,
                    "profile": {"name": "Wei Zhang", "first_name": "Wei", "last_name": "Zhang",
                                "email": "wei%d@example.com" % number, "cell_phone": "13800138000"},
                    "answers": [{"question_id": "1", "question": "Company size", "answer": "10-50"}]}
        attendee.update(changes)
        with self.lock:
            self.attendees = [each for each in self.attendees if each["id"] != str(number)] + [attendee]

    def answer(self, handler, path, query):
        if handler.headers.get("Authorization") != "Bearer " + self.token:
            handler.reply(401, {"error": "INVALID_AUTH", "status_code": 401})
            return
        if path != "/v3/events/9/attendees/":
            handler.reply(404, {"error": "NOT_FOUND"})
            return
        with self.lock:
            items = [each for each in self.attendees if each["changed"] >= query.get("changed_since", "")]
        start = int(query.get("continuation", "at-0")[3:])
        more = start + self.page_size < len(items)
        paging = {"object_count": len(items), "page_size": self.page_size, "has_more_items": more}
        if more:
            paging["continuation"] = "at-%d" % (start + self.page_size)
        handler.reply(200, {"pagination": paging, "attendees": items[start:start + self.page_size]})
