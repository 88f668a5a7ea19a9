"""The pages in a real browser: a server on the loopback, a headless Chromium, and what must never happen in a window.

Every window notes what the browser complains about: errors on the console, scripts that failed, content the policy refused,
requests that leave the machine, answers with an error code. ``windows`` fails the test when anything was noted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import waitress
from flask import Flask
from whitenoise import WhiteNoise

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

AXE = Path(__file__).resolve().parents[1] / "browser" / "vendor" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb", "--hide-scrollbars"]


@dataclass(frozen=True, slots=True)
class Site:
    """A running server and the application it serves."""

    url: str
    app: Flask


@contextmanager
def served(app: Flask) -> Iterator[Site]:
    """The application on a free port of the loopback, answered by the same server as in ``insureflow run``."""
    _let_files_be_kept(app)
    sockets: dict[Any, Any] = {}
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=4, map=sockets, ident=None)
    thread = threading.Thread(target=server.run, name="site", daemon=True)
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{server.effective_port}", app)
    finally:
        server.trigger.pull_trigger(server.close)
        thread.join(10)
        server.task_dispatcher.shutdown(timeout=5)
        for channel in list(sockets.values()):
            channel.close()


def _let_files_be_kept(app: Flask) -> None:
    """A window asks once for styles and scripts, as it does in production, not anew for each of hundreds of pages."""
    files = app.wsgi_app
    if isinstance(files, WhiteNoise) and not files.max_age:
        files.max_age = 3600
        files.add_files(str(app.static_folder), prefix="static/")


@contextmanager
def launched(path: Path) -> Iterator[Browser]:
    """A headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """One window of the browser; ``complaints`` collects what should not happen in it."""

    page: Page
    site: Site
    complaints: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)

    def expect(self, *statuses: int) -> None:
        """Answers with these codes are what the test is about."""
        self.expected |= set(statuses)

    def open(self, address: str) -> Page:
        """Goes to a page and waits until all of it is there, the parts it fetches itself as well."""
        self.page.goto(self.site.url + address, wait_until="load")
        self.page.wait_for_selector(".htmx-request", state="detached")
        return self.page

    def violations(self) -> list[str]:
        """What axe finds wrong for people who cannot see or point: rule, help, and the first elements."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8") + "\n;undefined")
        result = self.page.evaluate(
            "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", _RULES
        )
        return [
            f"{found['id']}: {found['help']}: " + " | ".join(str(node["html"])[:160] for node in found["nodes"][:3])
            for found in result["violations"]
        ]

    def is_too_wide(self) -> bool:
        """Whether the page has to be pushed sideways to be read."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"))


def _listen(context: BrowserContext, visitor: Visitor) -> None:
    page = visitor.page
    page.on("console", lambda message: _note_console(visitor, message))
    page.on("pageerror", lambda error: visitor.complaints.append(f"script failed: {error}"))
    page.on("requestfailed", lambda request: _note_failure(visitor, request))
    page.on("response", lambda response: _note_answer(visitor, response))
    context.add_init_script(
        "document.addEventListener('securitypolicyviolation', e => console.error('policy refused ' + e.violatedDirective + ' ' + e.blockedURI));"
    )


def _note_console(visitor: Visitor, message: Any) -> None:
    expected = message.text.startswith("Failed to load resource") and any(f" {status} " in message.text for status in visitor.expected)
    if message.type in {"error", "warning"} and not expected:
        visitor.complaints.append(f"console {message.type}: {message.text}")


def _note_failure(visitor: Visitor, request: Any) -> None:
    if request.failure != "net::ERR_ABORTED":  # a download, or a page left before it was complete
        visitor.complaints.append(f"request failed: {request.url} {request.failure}")


def _note_answer(visitor: Visitor, response: Any) -> None:
    if not response.url.startswith((visitor.site.url, "data:", "blob:")):
        visitor.complaints.append(f"asked another machine: {response.url}")
    elif response.status >= 400 and response.status not in visitor.expected:
        visitor.complaints.append(f"answer {response.status}: {response.url}")


@contextmanager
def windows(browser: Browser, site: Site) -> Iterator[Callable[..., Visitor]]:
    """A function that opens windows; at the end all are closed, and their complaints fail the test."""
    opened: list[tuple[BrowserContext, Visitor]] = []

    def open_window(tenant: Any = None, role: Any = None, *, width: int = 1280, height: int = 900, **options: Any) -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": height}, locale=options.pop("locale", "en"), **options)
        context.set_default_timeout(15_000)
        if tenant is not None:
            context.add_cookies(
                [{"name": name, "value": value, "url": site.url} for name, value in _session_of(site.app, tenant, role).items()]
            )
        visitor = Visitor(context.new_page(), site)
        _listen(context, visitor)
        opened.append((context, visitor))
        return visitor

    try:
        yield open_window
    finally:
        for context, _visitor in opened:
            context.close()
    complaints = [complaint for _context, visitor in opened for complaint in visitor.complaints]
    assert not complaints, "\n".join(complaints)


def _session_of(app: Flask, tenant: Any, role: Any) -> dict[str, str]:
    """The cookies of somebody who has logged in."""
    from support.tenants import log_in

    from insureflow.domain.access import Role

    client = app.test_client()
    log_in(client, tenant, role or Role.ADMINISTRATOR)
    name = str(app.config["SESSION_COOKIE_NAME"])
    cookie = client.get_cookie(name)
    assert cookie is not None
    return {name: cookie.value}
