"""The pages people see, in a real Chromium: the sample's landing page filled in as a person does, and the status page.

TRIBUTARY_SCREENSHOTS=DIR keeps what they looked like.
"""
import os
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import ROOT, wait_until
from daemon import Daemon, settled

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402

LANDING = ROOT / "packaging" / "sample" / "landing.html"
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium or chromedriver is not installed")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
         "--lang=en"]

CONFIG = """
sources:
  landing:
    type: form
    path: /f/landing
    page: {landing}
    required: [name, email]
    consent: {{newsletter: {{purpose: marketing, text: "Send me news about the product.", version: "2026-11"}}}}
    country: CN
  offer:
    type: form
    path: /f/offer
    page: {offer}
    origins: ["https://www.example.com"]
    redirect: {thanks}/thanks
    redirect_error: {thanks}/sorry
    country: CN
  sheets: {{type: csv, drop: {drop}, country: CN}}
sinks:
  log: {{type: file, path: {log}}}
"""


class Elsewhere:
    """A site of its own: where people go afterwards."""

    def __init__(self):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = f"<!doctype html><title>t</title><link rel=icon href='data:,'><h1>{self.path}</h1>".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def site(postgres, tmp_path_factory):
    directory = tmp_path_factory.mktemp("pages")
    elsewhere, name = Elsewhere(), postgres.create_database()
    offer = directory / "offer.html"
    offer.write_text(LANDING.read_text(encoding="utf-8").replace("/f/landing", "/f/offer"), encoding="utf-8")
    config = CONFIG.format(landing=LANDING, offer=offer, thanks=elsewhere.url, drop=directory / "drop",
                           log=directory / "events.jsonl")
    with Daemon(directory, postgres.url(name), config) as daemon:
        daemon.connection = postgres.connect(name)
        yield daemon
        daemon.connection.close()
    elsewhere.server.shutdown()
    postgres.drop_database(name)


@pytest.fixture
def browser(tmp_path):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS + [f"--user-data-dir={tmp_path}/profile"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service(DRIVER), options=options)
    driver.set_page_load_timeout(60)
    yield driver
    driver.quit()


def screen(browser, name, width=1280, height=900):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
    if os.environ.get("TRIBUTARY_SCREENSHOTS"):
        browser.save_screenshot(str(Path(os.environ["TRIBUTARY_SCREENSHOTS"]) / f"{name}.png"))


def fill_in(browser, values, tick=()):
    for name, value in values.items():
        browser.find_element(By.NAME, name).send_keys(value)
    for name in tick:
        browser.find_element(By.NAME, name).click()
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()


def heading(browser):
    return browser.execute_script("const h = document.querySelector('h1');"
                                  "return document.readyState === 'complete' && h ? h.textContent : ''")


def fits(browser):
    return browser.execute_script("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def complaints(browser):
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def golden(daemon, email):
    cursor = daemon.connection.cursor()

    def row():
        cursor.execute("SELECT full_name, phone[1], company, utm_source, utm_campaign, customer_id FROM golden.customer "
                       "WHERE %s = ANY (email)", (email,))
        return cursor.fetchone() if settled(daemon.connection) else None
    return wait_until(row, 30, f"the golden record of {email}")


def test_a_person_fills_in_the_landing_page_and_is_thanked(site, browser):
    browser.get(f"http://127.0.0.1:{site.public}/f/landing?utm_source=wechat&utm_campaign=autumn")
    screen(browser, "landing")
    screen(browser, "landing-390", 390, 844)
    assert fits(browser)
    fill_in(browser, {"name": "林晓雯", "email": "lin.xw@huaxin-tech.com.cn", "phone": "139 1717 3952",
                      "company": "上海华信科技有限公司", "message": "<b>请联系我</b> & thanks"}, tick=["newsletter"])
    wait_until(lambda: heading(browser) == "Thank you!", 30, "the thanks")
    screen(browser, "thanks-390", 390, 844)
    assert fits(browser)
    assert golden(site, "lin.xw@huaxin-tech.com.cn")[:5] == ("林晓雯", "+8613917173952", "上海华信科技有限公司", "wechat",
                                                         "autumn")
    cursor = site.connection.cursor()
    cursor.execute("SELECT purpose, granted FROM golden.consent")
    assert cursor.fetchall() == [("marketing", True)]
    assert complaints(browser) == []


def test_a_person_who_forgets_something_is_told_and_nothing_is_kept(site, browser):
    browser.get(f"http://127.0.0.1:{site.public}/f/landing")
    browser.execute_script("document.querySelectorAll('[required]').forEach(e => e.removeAttribute('required'))")
    fill_in(browser, {"name": "Nobody"})
    wait_until(lambda: heading(browser) == "Not received", 30, "the refusal")
    screen(browser, "refused-390", 390, 844)
    assert fits(browser)
    assert "email" in browser.find_element(By.TAG_NAME, "ul").text


def test_a_person_meets_a_paused_form(site, browser):
    """The page is there and the post is answered in words; it was JSON, and the page was gone."""
    site.run("sources", "pause", "landing")
    try:
        browser.get(f"http://127.0.0.1:{site.public}/f/landing")
        fill_in(browser, {"name": "Late Lee", "email": "late.lee@lee-store.com"})
        wait_until(lambda: heading(browser) == "Not received", 30, "the refusal")
        screen(browser, "paused-390", 390, 844)
        assert fits(browser)
        assert "Please go back and send it again in a moment." in browser.find_element(By.TAG_NAME, "body").text
    finally:
        site.run("sources", "resume", "landing")
    browser.back()
    wait_until(lambda: heading(browser).startswith("Talk to us"), 30, "the page with what was typed")
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    wait_until(lambda: heading(browser) == "Thank you!", 30, "the thanks")
    browser.find_element(By.LINK_TEXT, "Back").click()
    wait_until(lambda: heading(browser).startswith("Talk to us"), 30, "the landing page again")


def test_our_own_page_may_post_whatever_the_origins_and_leads_on_to_another_site(site, browser):
    browser.get(f"http://127.0.0.1:{site.public}/f/offer?utm_source=poster&gclid=abc")
    fill_in(browser, {"name": "Ann Lee", "email": "ann.lee@lee-store.com"})
    wait_until(lambda: heading(browser) == "/thanks", 30, "the page of thanks on the other site")
    assert golden(site, "ann.lee@lee-store.com")[:4] == ("Ann Lee", None, None, "poster")
    browser.get(f"http://127.0.0.1:{site.public}/f/offer")
    browser.execute_script("document.querySelectorAll('[required]').forEach(e => e.removeAttribute('required'))")
    fill_in(browser, {})
    wait_until(lambda: heading(browser) == "/sorry?error=form.empty", 30, "the page of failure on the other site")
    assert complaints(browser) == []


def test_the_status_page_shows_what_happens_and_fits_a_telephone(site, browser):
    url = f"http://127.0.0.1:{site.private}/"
    browser.get(url)
    assert browser.find_element(By.NAME, "token")
    browser.find_element(By.NAME, "token").send_keys("wrong")
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    wait_until(lambda: "That is not the token." in browser.execute_script(  # no element that the next page takes away
        "return document.querySelector('main')?.innerText ?? ''"), 30, "the refusal")
    screen(browser, "login-390", 390, 844)
    browser.get_log("browser")  # the 401 of the page that asks for the token
    browser.get(f"{url}?token={site.token}")
    assert browser.current_url == url  # the token stands in no history
    wait_until(lambda: browser.find_element(By.ID, "state").text == "running", 30, "the state")

    def cells(table):
        return browser.execute_script(
            "return Array.from(document.querySelectorAll('#' + arguments[0] + ' tbody tr'),"
            "  row => Array.from(row.cells, cell => cell.textContent))", table)

    assert {"landing", "offer", "sheets"} <= {row[0] for row in cells("sources")}
    leads = int(browser.find_element(By.ID, "leads").text)
    status, reply = site.post("/f/landing", {"name": "<img src=x onerror=alert(1)>", "email": "zoe.new@lee-store.com",
                                             "phone": "+8613811112222"})
    assert status == 200, reply
    wait_until(lambda: int(browser.find_element(By.ID, "leads").text) == leads + 1, 30, "the new lead")
    wait_until(lambda: any("landing" in row for row in cells("latest")), 30, "the new lead in the list")
    wait_until(lambda: all(row[-1] == "even" for row in cells("ledger")), 30, "an even ledger")
    assert "zoe.new" not in browser.page_source and "13811112222" not in browser.page_source  # masked
    assert browser.execute_script("return document.querySelectorAll('td img').length") == 0
    screen(browser, "status")
    assert fits(browser)
    screen(browser, "status-390", 390, 2600)
    assert fits(browser)
    tall = browser.execute_script("return document.querySelector('footer').getBoundingClientRect().bottom + scrollY")
    below = browser.execute_script("return document.getElementById('latest').getBoundingClientRect().bottom + scrollY")
    assert below < 1000 and tall < 2400, (below, tall)  # leads first, and no rows of zeros
    assert complaints(browser) == []
