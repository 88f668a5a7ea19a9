"""Fixtures for all tests: a database of each kind, the application on it, a client that looks at its pages, a browser.

``database`` runs a test once on SQLite and once on PostgreSQL; ``app``, ``client`` and ``session`` build on it, and ``keeping``
makes what is costly once per worker and brings it back for each test. Inside a test that uses ``client`` no application
context may be open: requests would share it, and with it the person logged in.
"""

from __future__ import annotations

import copy
import gc
import importlib
import os
import pkgutil
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import coverage
import pytest
from flask import Flask, has_app_context
from jinja2 import FileSystemBytecodeCache
from sqlalchemy.orm import Session
from support import browsing, databases, postgres
from support.browsing import Site, Visitor
from support.databases import Database
from support.pages import PageClient

_RUN_FOLDER = pytest.StashKey[Path]()
_UNMEASURED = pytest.StashKey[coverage.Coverage]()
ROOT = Path(__file__).resolve().parents[1]
UNIT_TESTS = ROOT / "tests" / "unit"
#: Where the longest tests are: they begin first, so that no worker is left alone with one of them at the end.
LONGEST = (
    ROOT / "tests" / "integration" / "test_sync_endurance.py",
    ROOT / "tests" / "integration" / "tenants" / "test_pages.py",
    ROOT / "tests" / "browser" / "test_pages.py",
    ROOT / "tests" / "integration" / "test_permissions.py",
    ROOT / "tests" / "integration" / "services" / "test_cover_cases.py",
    ROOT / "tests" / "integration" / "services" / "test_shipping.py",
    ROOT / "tests" / "integration" / "test_crash.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("insureflow")
    group.addoption(
        "--require-all",
        action="store_true",
        default=os.environ.get("CI", "").casefold() in {"1", "true", "yes"},
        help="fail where something the tests need is missing, instead of leaving tests out (on when CI is set)",
    )
    group.addoption("--chromium", default="/usr/bin/chromium", help="the browser for the browser tests")


def pytest_configure(config: pytest.Config) -> None:
    given = getattr(config, "workerinput", {}).get("run_folder")
    config.stash[_RUN_FOLDER] = Path(given or tempfile.mkdtemp(prefix="insureflow-tests-"))
    if not given:
        config.stash[_RUN_FOLDER].chmod(0o711)
        if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):  # workers and programs under test would compile everything at every start
            os.environ["PYTHONPYCACHEPREFIX"] = str(config.stash[_RUN_FOLDER] / "bytecode")
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: the server is stopped, the folder removed


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Unit tests alone are measured: a rule must be tried by a test of its own, not by a page that happens to use it.

    Measuring slows all Python code of a test, the database's and the pages' as well, so the others are spared it.
    """
    _measure(item.config, on=item.path.is_relative_to(UNIT_TESTS))
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Iterator[object]:
    """What a rule's module does when it is imported is measured; collecting four thousand tests is not."""
    if coverage.Coverage.current() is not None:
        for module in pkgutil.walk_packages([str(ROOT / "insureflow" / "domain")], "insureflow.domain."):
            importlib.import_module(module.name)
        _measure(session.config, on=False)
    return (yield)


def _measure(config: pytest.Config, *, on: bool) -> None:
    """Starts measuring where it rests, or lets it rest."""
    measuring, resting = coverage.Coverage.current(), config.stash.get(_UNMEASURED, None)
    if on and resting is not None:
        resting.start()
        del config.stash[_UNMEASURED]
    elif not on and measuring is not None and resting is None:
        measuring.stop()
        config.stash[_UNMEASURED] = measuring


def pytest_collection_finish() -> None:
    """What collecting has made stays to the end: the collector of garbage need not go through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says plainly what a run without a browser has not looked at."""
    left_out = [report.nodeid for report in terminalreporter.stats.get("skipped", []) if "browser" in report.keywords]
    if left_out:
        terminalreporter.section("browser tests left out")
        for name in sorted(left_out):
            terminalreporter.line(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything that asks for the browser carries its mark; what takes longest comes first."""
    items.sort(key=lambda item: LONGEST.index(item.path) if item.path in LONGEST else len(LONGEST))
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    folder = config.stash.get(_RUN_FOLDER, None)
    if folder is not None:
        databases.drop_templates(folder)
        postgres.stop_server(folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells each xdist worker where the run keeps its server and templates."""
    node.workerinput["run_folder"] = str(node.config.stash[_RUN_FOLDER])


@pytest.fixture(scope="session")
def run_folder(pytestconfig: pytest.Config) -> Path:
    """Where this test run keeps its databases; shared by all workers, removed at the end."""
    return pytestconfig.stash[_RUN_FOLDER]


@pytest.fixture(scope="session")
def require_all(pytestconfig: pytest.Config) -> bool:
    """Whether something missing is a failure."""
    return bool(pytestconfig.getoption("--require-all"))


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder of real files beside the repository; tests that use it are left out where it is absent."""
    folder = Path(os.environ.get("INSUREFLOW_SHARED") or ROOT.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"the folder of real files is absent ({folder.name} beside the repository, or INSUREFLOW_SHARED)")
    return folder


def _prepare(app: Flask, folder: Path) -> None:
    """Its clients look at pages, and it takes the templates that another application of the run has compiled."""
    app.test_client_class = PageClient
    compiled = folder / "templates"
    compiled.mkdir(exist_ok=True)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(compiled))


class Applications:
    """One application and one clone per kind of database, kept for the whole life of a worker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept: dict[str, tuple[Database, Flask]] = {}
        #: What is put aside in the clones, by kind and name: see ``keeping``.
        self.made: dict[tuple[str, str], Any] = {}

    def on(self, kind: str) -> tuple[Database, Flask]:
        """The clone of this kind and the application that works on it."""
        if kind not in self._kept:
            from insureflow.app import create_app

            database = databases.clone(self.folder, kind)
            app = create_app(databases.settings_for(database.url, self.folder / f"instance-{os.getpid()}"))
            _prepare(app, self.folder)
            self._kept[kind] = (database, app)
        return self._kept[kind]

    @staticmethod
    def disconnect(app: Flask) -> None:
        """Closes every connection the application holds."""
        from insureflow.models.database import db

        with app.app_context():
            db.session.remove()
            for engine in db.engines.values():
                engine.dispose()

    def close(self) -> None:
        """Removes the clones."""
        for database, app in self._kept.values():
            self.disconnect(app)
            databases.drop(self.folder, database)


@pytest.fixture(scope="session")
def applications(run_folder: Path) -> Iterator[Applications]:
    """The applications of this worker."""
    kept = Applications(run_folder)
    yield kept
    kept.close()


@pytest.fixture(params=databases.KINDS)
def database(request: pytest.FixtureRequest, applications: Applications) -> Iterator[Database]:
    """A migrated, empty database; the test runs once on each kind."""
    database, app = applications.on(request.param)
    kept = dict(app.config)
    yield database
    app.config.clear()
    app.config.update(kept)
    applications.disconnect(app)
    databases.reset(applications.folder, database)


@pytest.fixture
def app(database: Database, applications: Applications) -> Flask:
    """The application on the test's database. No context is open."""
    return applications.on(database.kind)[1]


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The database session, inside an application context that lasts for the test. Not together with ``client``."""
    from insureflow.models.database import db

    with app.app_context():
        yield db.session()
        db.session.remove()


@pytest.fixture
def keeping(database: Database, app: Flask, applications: Applications) -> Callable[[str, Callable[[], Any]], Any]:
    """``keeping(name, make)`` puts what ``make`` makes into the empty database and gives what it gives.

    It is made once per worker and brought back for the tests after that. What is given must be plain data, without rows of a session.
    """

    def keep(name: str, make: Callable[[], Any]) -> Any:
        assert not has_app_context(), "the database is exchanged below an open session"
        made = applications.made
        if (database.kind, name) in made:
            databases.bring_back(applications.folder, database, name)
        else:
            made[database.kind, name] = make()
            applications.disconnect(app)
            databases.keep(applications.folder, database, name)
        return copy.deepcopy(made[database.kind, name])

    return keep


@pytest.fixture
def client(app: Flask) -> PageClient:
    """A browser without a screen: looks at every page it fetches (see ``support.pages``)."""
    assert not has_app_context(), "requests would share the open application context: do not combine client with session"
    client = app.test_client()
    assert isinstance(client, PageClient)
    return client


@pytest.fixture
def invoke(app: Flask) -> Callable[..., Any]:
    """Runs a command line: ``invoke("organisation", "add", ...)`` gives click's result."""
    runner = app.test_cli_runner()

    def run(*arguments: str, **options: Any) -> Any:
        return runner.invoke(args=[str(argument) for argument in arguments], **options)

    return run


@pytest.fixture
def make_organisation(app: Flask) -> Callable[..., Any]:
    """Makes an organisation with an entity and a log-in per role; see ``support.tenants.make_tenant`` for what can be chosen."""
    from support.tenants import make_tenant

    return partial(make_tenant, app)


@pytest.fixture
def organisation(make_organisation: Callable[..., Any]) -> Any:
    """One such organisation (a ``support.tenants.Tenant``)."""
    return make_organisation()


@pytest.fixture
def login(organisation: Any) -> Callable[..., Any]:
    """``login(client, role)`` makes the client a person of that role in ``organisation``; a third argument names another one."""
    from support.tenants import log_in

    def become(client: PageClient, role: Any, tenant: Any = None) -> Any:
        return log_in(client, tenant or organisation, role)

    return become


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config, require_all: bool) -> Iterator[Any]:
    """The real browser, headless. Without one its tests are left out, or fail where nothing may be left out."""
    path = Path(pytestconfig.getoption("--chromium"))
    if not path.exists():
        message = f"no browser at {path}: run scripts/install-browser; without it the tests of the pages in a real browser are left out"
        if require_all:
            pytest.fail(message)
        pytest.skip(message)
    with browsing.launched(path) as browser:
        yield browser


@pytest.fixture
def site(app: Flask) -> Iterator[Site]:
    """The application served on this machine's loopback, on the database of the test."""
    with browsing.served(app) as site:
        yield site


@pytest.fixture
def visit(chromium: Any, site: Site) -> Iterator[Callable[..., Visitor]]:
    """Opens a browser window on ``site``: ``visit(tenant, role, width=360)``. What went wrong in it fails the test at its end."""
    with browsing.windows(chromium, site) as open_window:
        yield open_window


@pytest.fixture(scope="session")
def demo_app(run_folder: Path) -> Iterator[Flask]:
    """The application with the whole demo organisation in it (SQLite), loaded once per run and copied for each worker.

    For tests that only look; a test that changes something takes ``app``.
    """
    from insureflow.app import create_app

    with databases.demo(run_folder) as database:
        instance = run_folder / f"instance-{os.getpid()}"
        shutil.copytree(run_folder / "template-instance" / "files", instance / "files", dirs_exist_ok=True)
        app = create_app(databases.settings_for(database.url, instance))
        _prepare(app, run_folder)
        yield app
        Applications.disconnect(app)


@pytest.fixture(scope="session")
def demo_organisation(demo_app: Flask) -> Any:
    """The demo organisation as a ``support.tenants.Tenant``, with its log-in for each role."""
    from support.tenants import demo_tenant

    return demo_tenant(demo_app)


@pytest.fixture(scope="session")
def demo_site(demo_app: Flask) -> Iterator[Site]:
    """The demo served on this machine's loopback."""
    with browsing.served(demo_app) as site:
        yield site


@pytest.fixture
def visit_demo(chromium: Any, demo_site: Site) -> Iterator[Callable[..., Visitor]]:
    """Opens a browser window on ``demo_site``, like ``visit``."""
    with browsing.windows(chromium, demo_site) as open_window:
        yield open_window
