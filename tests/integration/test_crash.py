"""A process that is killed in the middle of an import leaves all of it or nothing, and the entity free for the next one."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from support.databases import Database
from support.nursery import Child, Nursery, nursery
from support.tenants import Tenant, make_tenant

from insureflow.connectors.ledgers import get_shipped_profile
from insureflow.domain.access import Role
from insureflow.domain.errors import Refusal
from insureflow.domain.tasks import ImportState, TaskState
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.jobs import Task
from insureflow.models.journal import JournalEntry
from insureflow.models.receivables import Allocation, ImportBatch, Invoice, Payment
from insureflow.models.scope import within
from insureflow.services import imports, tasks
from insureflow.services.clock import now
from insureflow.services.imports import ImportOrder, import_ledger
from insureflow.services.imports.locking import only_import_of
from insureflow.services.organisations import get_entity

ROOT = Path(__file__).resolve().parents[2]
ROWS = 3000
TODAY = "2026-06-30"

#: Imports a file and tells on its standard output how far it is, stage by stage.
PROGRAM = """
import json, sys
from datetime import date
from insureflow.app import create_app
from insureflow.connectors.ledgers import get_shipped_profile
from insureflow.services.imports import ImportOrder, import_ledger
from insureflow.services.journal import Actor
organisation, path = int(sys.argv[1]), sys.argv[2]
app = create_app()
def tell(stage, done, total):
    print(stage, flush=True)
with app.app_context():
    day = date(2026, 6, 30)
    order = ImportOrder("SE01", get_shipped_profile("plain"), day, "ledger.csv")
    outcome = import_ledger(Actor(None, "test"), organisation, order, path, on=day, progress=tell)
    print("state", outcome.state, flush=True)
"""


def write_file(folder: Path) -> Path:
    path = folder / "ledger.csv"
    rows = ["kind,number,customer_number,country,currency,gross,document_date,due_date,settled_date"]
    rows += [f"invoice,F{n},K{n % 200},DE,EUR,{n + 1}.00,2026-04-01,2026-05-01,{'2026-05-10' if n % 2 else ''}" for n in range(ROWS)]
    path.write_text("\n".join([*rows, ""]), encoding="utf-8")
    return path


def environment(database: Database, folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    url = (
        database.url.replace("sqlite:///", "sqlite:////", 1)
        if database.url.startswith("sqlite:///") and "////" not in database.url
        else database.url
    )
    return kept | {
        "INSUREFLOW_ENVIRONMENT": "testing",
        "INSUREFLOW_INSTANCE": str(folder / "instance"),
        "INSUREFLOW_DATABASE_URL": url,
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """A process with the product loaded, from which those that import are forked."""
    folder = tmp_path_factory.mktemp("nursery")
    with nursery(environment(Database("sqlite", f"sqlite:///{folder / 'unused.db'}"), folder)) as made:
        yield made


def begin(loaded: Nursery, database: Database, tenant: Tenant, path: Path) -> Child:
    return loaded.begin(PROGRAM, str(tenant.id), str(path), environ=environment(database, path.parent))


def state_of(tenant: Tenant) -> dict[str, int]:
    """How much of an import there is."""
    db.session.rollback()
    with within(tenant.id):
        counted = {
            model.__tablename__: int(db.session.scalar(select(func.count()).select_from(model)) or 0)
            for model in (Invoice, Payment, Allocation, InvoicePosition, ImportBatch)
        }
        counted["journal"] = int(
            db.session.scalar(select(func.count(JournalEntry.id)).where(JournalEntry.action == "receivables.imported")) or 0
        )
    db.session.rollback()
    return counted


NOTHING = {"invoice": 0, "payment": 0, "allocation": 0, "invoice_position": 0, "import_batch": 0, "journal": 0}
EVERYTHING = {"invoice": ROWS, "payment": ROWS // 2, "allocation": ROWS // 2, "invoice_position": ROWS, "import_batch": 1, "journal": 1}


def take(tenant: Tenant, path: Path) -> str:
    """Import the file in this process."""
    from datetime import date

    order = ImportOrder("SE01", get_shipped_profile("plain"), date.fromisoformat(TODAY), "ledger.csv")
    return import_ledger(tenant.actor(), tenant.id, order, path, on=date.fromisoformat(TODAY)).state


@pytest.mark.parametrize("stage", ["reading", "comparing", "writing", "saving"])
def test_a_killed_import_leaves_all_or_nothing(app: Flask, database: Database, loaded: Nursery, tmp_path: Path, stage: str) -> None:
    path = write_file(tmp_path)
    rng = random.Random(stage)
    with app.app_context():
        tenant = make_tenant(app, roles=(Role.ADMINISTRATOR,))
        db.session.remove()
        process = begin(loaded, database, tenant, path)
        for told in process.output:
            if told.strip() == stage:
                break
        else:
            pytest.fail(f"the import ended without {stage}")
        time.sleep(rng.random() * 0.15)
        process.kill()
        process.output.close()
        state = NOTHING
        for _ in range(100):  # a server needs a moment to notice that its client is gone
            state = state_of(tenant)
            try:
                result = take(tenant, path)
            except Refusal as refusal:
                if refusal.code != "import_running":
                    raise
                time.sleep(0.1)
                continue
            break
        else:
            pytest.fail("the dead import is still in the way")
        assert state in (NOTHING, EVERYTHING)
        assert result == ("done" if state == NOTHING else "unchanged")
        assert state_of(tenant) == EVERYTHING


def test_the_second_import_of_an_entity_is_refused_at_once(app: Flask, database: Database, tmp_path: Path) -> None:
    path = write_file(tmp_path)
    with app.app_context():
        tenant = make_tenant(app, entities={"SE01": ("SE", "SEK"), "DE01": ("DE", "EUR")}, roles=(Role.ADMINISTRATOR,))
        holding, done = threading.Event(), threading.Event()

        def hold() -> None:
            with app.app_context(), within(tenant.id):
                entity = get_entity(db.session(), "SE01")
                db.session.rollback()
                with only_import_of(entity):
                    holding.set()
                    done.wait(30)
                db.session.remove()

        thread = threading.Thread(target=hold)
        thread.start()
        try:
            assert holding.wait(20)
            with pytest.raises(Refusal) as caught:
                take(tenant, path)
            assert caught.value.code == "import_running"
            assert state_of(tenant) == NOTHING
        finally:
            done.set()
            thread.join(20)
        assert take(tenant, path) == "done"


def test_of_two_processes_one_imports_and_the_ledger_holds_it_once(app: Flask, database: Database, loaded: Nursery, tmp_path: Path) -> None:
    path = write_file(tmp_path)
    with app.app_context():
        tenant = make_tenant(app, roles=(Role.ADMINISTRATOR,))
        db.session.remove()
        ended = []
        for process in [begin(loaded, database, tenant, path) for _ in range(2)]:
            with process.output as output:
                ended.append(output.read().splitlines()[-1:])
        assert ["state done"] in ended
        assert state_of(tenant) == EVERYTHING


def _queued(tenant: Tenant, path: Path) -> tuple[int, int]:
    """An upload whose import waits in the queue: keys of the batch and of the task."""
    from datetime import date

    day = date.fromisoformat(TODAY)
    with path.open("rb") as stream:
        batch_id = imports.files.keep_upload(tenant.actor(), tenant.id, "SE01", path.name, stream, as_of=day)
    profile = get_shipped_profile("plain")
    imports.files.set_mapping(tenant.id, batch_id, profile, mode=profile.mode, as_of=day, options={})
    with within(tenant.id):
        return batch_id, imports.tasks.enqueue_import(tenant.actor(), tenant.id, batch_id, day, good_rows_only=False)


@pytest.mark.parametrize("is_imported", [False, True], ids=["before", "after"])
def test_a_task_that_lost_its_worker_can_be_taken_up_again(app: Flask, tmp_path: Path, is_imported: bool) -> None:
    from datetime import date

    path = write_file(tmp_path)
    with app.app_context():
        tenant = make_tenant(app, roles=(Role.ADMINISTRATOR,))
        batch_id, task_id = _queued(tenant, path)
        with within(tenant.id):
            if is_imported:
                imports.tasks.import_upload(tenant.actor(), tenant.id, batch_id, date.fromisoformat(TODAY))
            db.session.execute(update(Task).where(Task.id == task_id).values(state=TaskState.RUNNING))
            db.session.commit()
        assert tasks.interrupt_lost(now()) == 1
        tasks.retry(tenant.id, task_id)
        assert tasks.run_next() == task_id
        task: Any = tasks.get_task(tenant.id, task_id)
        assert (task.state, json.loads(json.dumps(task.result))["state"]) == (TaskState.DONE, "done")
        with within(tenant.id):
            assert imports.files.get_batch(batch_id).state is ImportState.DONE
        assert state_of(tenant) == EVERYTHING
        db.session.remove()
