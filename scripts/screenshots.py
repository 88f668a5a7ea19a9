"""Takes the pictures of the README: the product on a fresh demo of a fixed day, seen by a real browser.

    python scripts/screenshots.py [--into FOLDER] [--only NAME ...]

The day, the seed and the size of the window are fixed, so that a picture changes only when the page does.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flask_migrate
import time_machine
import waitress
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

import config
from insureflow.app import create_app
from insureflow.jobs.scheduler import SCHEDULES, run_due
from insureflow.queries.connections import enabled_connections
from insureflow.sandbox.application import create_sandbox
from insureflow.services.clock import now
from insureflow.services.connections import try_connection
from insureflow.services.demo import DEMO_PASSWORD, DEMO_USERS
from insureflow.services.jobs import organisations_to_serve
from insureflow.services.journal import Actor
from insureflow.services.scoping import within

ROOT = Path(__file__).resolve().parents[1]
MOMENT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
MOST_BYTES = 250_000
DESKTOP, PHONE = (1440, 900), (390, 844)

#: A small file for the picture of the import wizard, in the layout that ships with the product.
LEDGER = """document_type,document_number,customer_number,customer_name,customer_country,currency,gross_amount,invoice_date,due_date
invoice,SE-200001,10001,Hafenwerk Logistik GmbH,DE,EUR,18250.00,2026-11-12,2027-01-11
invoice,SE-200002,10002,Prado Alimentos S.L.,ES,EUR,9400.50,2026-11-13,2027-01-12
credit_note,SE-200003,10003,Brio Costruzioni S.p.A.,IT,EUR,1200.00,2026-11-13,2026-11-13
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its file, how the page is reached, and the window."""

    name: str
    reach: Callable[[Page, str], None]
    size: tuple[int, int] = DESKTOP
    scheme: str = "light"


def at(path: str) -> Callable[[Page, str], None]:
    """Reaches a page by its address."""

    def reach(page: Page, url: str) -> None:
        page.goto(url + path, wait_until="networkidle")

    return reach


def buyer(name: str) -> Callable[[Page, str], None]:
    """Reaches a buyer's page as people do: by the search."""

    def reach(page: Page, url: str) -> None:
        page.goto(f"{url}/buyers/?q={name}", wait_until="networkidle")
        page.locator("table.data-table tbody th a, table.data-table tbody td a").first.click()
        page.wait_for_load_state("networkidle")

    return reach


def invoice_with_why(page: Page, url: str) -> None:
    """The first open invoice of a buyer over its limit, with the reasons of its covered amount beside it."""
    page.goto(f"{url}/receivables/?q=Prado&sort=open&direction=desc", wait_until="networkidle")
    page.locator("table.data-table tbody tr").first.locator("a").first.click()
    page.wait_for_load_state("networkidle")
    page.locator("main a[hx-get*='/why']").first.click()
    page.locator("#why-panel:not([hidden])").wait_for()


def policy(page: Page, url: str) -> None:
    """The terms of the first policy."""
    page.goto(f"{url}/policies/", wait_until="networkidle")
    page.locator("main table tbody a").first.click()
    page.wait_for_load_state("networkidle")


def wizard(page: Page, url: str) -> None:
    """The step of the import in which columns are given their meaning."""
    page.goto(f"{url}/imports/new", wait_until="networkidle")
    page.locator("input[type=file]").set_input_files([{"name": "ledger.csv", "mimeType": "text/csv", "buffer": LEDGER.encode()}])
    page.locator("main form[enctype] button[type=submit]").first.click()
    page.wait_for_load_state("networkidle")


def may_i_ship(page: Page, url: str) -> None:
    """The answer to a question about a buyer near its limit."""
    page.goto(f"{url}/ship/", wait_until="networkidle")
    page.fill("input[name=buyer]", "Prado Alimentos")
    page.fill("input[name=amount]", "90000")
    page.select_option("select[name=currency]", "EUR")
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_load_state("networkidle")


def need(page: Page, url: str) -> None:
    """What a buyer needs and what carries it, as a picture."""
    page.goto(f"{url}/limits/needs", wait_until="networkidle")
    address = page.locator("table.data-table tbody a[href*='/limits/needs/']").nth(3).get_attribute("href")
    page.goto(f"{url}{address}", wait_until="networkidle")


def cut(page: Page, url: str) -> None:
    """What a cut limit means, and what can be done."""
    page.goto(f"{url}/limits/cut", wait_until="networkidle")
    page.locator("main a[href*='/limit-cuts/']").first.click()
    page.wait_for_load_state("networkidle")


def shared_limit(page: Page, url: str) -> None:
    """A limit that several buyers share, and what is left of it."""
    page.goto(f"{url}/limit-groups/", wait_until="networkidle")
    page.locator("main table tbody a").first.click()
    page.wait_for_load_state("networkidle")


def own_limit(page: Page, url: str) -> None:
    """A limit that was set without asking, with what it rests on."""
    page.goto(f"{url}/discretionary/", wait_until="networkidle")
    page.locator("main table tbody a").first.click()
    page.wait_for_load_state("networkidle")


def blocked(page: Page, url: str) -> None:
    """A buyer to whom nothing may be shipped, and why."""
    page.goto(f"{url}/blocks/", wait_until="networkidle")
    page.locator("main table tbody a[href$='/block']").first.click()
    page.wait_for_load_state("networkidle")


def proof(page: Page, url: str) -> None:
    """What proves that a notice arrived in time."""
    page.goto(f"{url}/notices/?q=Marlstein", wait_until="networkidle")
    address = page.locator("main table tbody a[href*='/notices/']").last.get_attribute("href")
    page.goto(f"{url}{address}/proof", wait_until="networkidle")


def connection(page: Page, url: str, *, then: str = "") -> None:
    """The first connection, or a page behind it."""
    page.goto(f"{url}/connections/", wait_until="networkidle")
    address = page.locator("main h2 a").first.get_attribute("href")
    page.goto(f"{url}{address}{then}", wait_until="networkidle")


def connection_form(page: Page, url: str) -> None:
    """The form that changes how a policy is reached; no secret stands in it."""
    connection(page, url, then="/edit")


def exchanges(page: Page, url: str) -> None:
    """What was said between us and an insurer."""
    connection(page, url, then="/exchanges")


def look_up(page: Page, url: str) -> None:
    """The question before a look-up that may cost money."""
    connection(page, url)
    address = page.url
    page.goto(f"{url}/buyers/?q=Prado", wait_until="networkidle")
    key = (page.locator("table.data-table tbody a[href^='/buyers/']").first.get_attribute("href") or "").rsplit("/", 1)[-1]
    page.goto(f"{address}/look-up/{key}", wait_until="networkidle")


PICTURES = (
    Picture("dashboard", at("/")),
    Picture("dashboard-dark", at("/"), scheme="dark"),
    Picture("dashboard-phone", at("/"), PHONE),
    Picture("buyers", at("/buyers/")),
    Picture("buyer", buyer("Prado")),
    Picture("invoice-why", invoice_with_why),
    Picture("limits", at("/limits/")),
    Picture("obligations", at("/obligations/")),
    Picture("policy", policy),
    Picture("import", wizard),
    Picture("exposure", at("/exposure/")),
    Picture("limit-requests", at("/limit-requests/")),
    Picture("limit-cut", cut),
    Picture("limit-need", need),
    Picture("shared-limit", shared_limit),
    Picture("own-limit", own_limit),
    Picture("limit-bulk", at("/limit-requests/selection?situation=never_asked")),
    Picture("may-i-ship", may_i_ship),
    Picture("connections", at("/connections/")),
    Picture("connection", connection),
    Picture("connection-form", connection_form),
    Picture("connection-exchanges", exchanges),
    Picture("connection-look-up", look_up),
    Picture("connection-differences", at("/connections/differences")),
    Picture("inbox", at("/inbox/")),
    Picture("letters", at("/dunning/")),
    Picture("notice-proof", proof),
    Picture("block", blocked),
    Picture("jobs", at("/settings/jobs/")),
    Picture("work", at("/work-items/")),
)


@contextmanager
def demo() -> Iterator[Flask]:
    """The application on a new database with the demo in it."""
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder)
        settings = config.load(
            {
                "INSUREFLOW_ENVIRONMENT": "development",
                "INSUREFLOW_INSTANCE": str(instance),
                "INSUREFLOW_DATABASE_URL": f"sqlite:///{instance / 'insureflow.db'}",
                "INSUREFLOW_LOG_LEVEL": "WARNING",
            }
        )
        app = create_app(settings)
        with app.app_context():
            flask_migrate.upgrade()
        loaded = app.test_cli_runner().invoke(args=["demo", "load", "--on", MOMENT.date().isoformat()])
        if loaded.exit_code:
            raise SystemExit(loaded.output)
        with sandbox(settings) as port:
            app.config["INSUREFLOW"] = dataclasses.replace(app.config["INSUREFLOW"], sandbox_port=port)
            with app.app_context():
                use_connections()
            yield app


@contextmanager
def sandbox(settings: config.Config) -> Iterator[int]:
    """The sandbox insurers with what the demo taught them; gives their port."""
    made = create_sandbox(settings.sandbox_path, now)
    sockets: dict[Any, Any] = {}
    server = waitress.create_server(made.app, host="127.0.0.1", port=0, threads=4, map=sockets)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server.effective_port
    finally:
        server.trigger.pull_trigger(server.close)
        thread.join(10)
        server.task_dispatcher.shutdown(timeout=5)
        made.state.close()


def use_connections() -> None:
    """Everything that runs by itself has run once: the connections have news, the jobs their runs."""
    for organisation_id, slug in organisations_to_serve():
        with within(organisation_id):
            keys = enabled_connections(organisation_id)
        for key in keys:
            try_connection(Actor(None, slug), organisation_id, key)
    for schedule in SCHEDULES:
        run_due(schedule)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of the application on a free port of the loopback."""
    sockets: dict[Any, Any] = {}
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=4, map=sockets)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.trigger.pull_trigger(server.close)
        thread.join(10)
        server.task_dispatcher.shutdown(timeout=5)


def log_in(page: Page, url: str) -> None:
    """Logs in as the demo's administrator."""
    page.goto(f"{url}/login", wait_until="networkidle")
    page.locator("input[name=email]").fill(DEMO_USERS[0][0])
    page.locator("input[type=password]").fill(DEMO_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/login" not in address)


def take(browser: Browser, url: str, picture: Picture, folder: Path) -> Path:
    """Takes one picture and writes it as small as its colours allow."""
    width, height = picture.size
    window = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=picture.scheme, locale="en", device_scale_factor=1, reduced_motion="reduce"
    )  # fmt: skip
    window.set_default_timeout(20_000)
    page = window.new_page()
    log_in(page, url)
    picture.reach(page, url)
    page.evaluate("document.activeElement && document.activeElement.blur()")
    path = folder / f"{picture.name}.png"
    page.screenshot(path=path)
    window.close()
    with Image.open(path) as taken:
        taken.convert("RGB").quantize(160, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


def main() -> int:
    """Takes all pictures, or those that were named."""
    parser = argparse.ArgumentParser(description="Take the pictures of the README.")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    wanted = parser.parse_args()
    if not Path(wanted.chromium).exists():
        print(f"There is no browser at {wanted.chromium}: run scripts/install-browser.")
        return 1
    wanted.into.mkdir(parents=True, exist_ok=True)
    failed = 0
    with time_machine.travel(MOMENT), demo() as app, served(app) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=wanted.chromium, args=["--no-sandbox", "--force-color-profile=srgb", "--hide-scrollbars"]
        )
        for picture in PICTURES:
            if wanted.only and picture.name not in wanted.only:
                continue
            try:
                path = take(browser, url, picture, wanted.into)
            except Exception as error:  # noqa: BLE001 (one page that fails must not cost the other pictures)
                print(f"{picture.name}: not taken: {error}")
                failed += 1
                continue
            size = path.stat().st_size
            failed += size > MOST_BYTES
            print(f"{picture.name}: {size // 1000} kB" + (" is too large" if size > MOST_BYTES else ""))
        browser.close()
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
